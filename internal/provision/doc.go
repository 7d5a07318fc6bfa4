// Package provision brings an organisation to a destination: plan, then apply
// step by step, with a durable note of each before and after.
//
// It knows destinations by package destination's interface alone, and keeps in
// the ledger what it wrote, so that a later run can tell what is its own from
// what somebody changed since. It must not know which server it talks to, nor
// where the organisation was read.
package provision
