// Package maildrop reads the filters of maildrop, Courier's delivery agent
// (~/.mailfilter), and translates what people write in them into Sieve: if,
// elsif and else over patterns in headers and bodies, to, cc, exception,
// variables with fixed values, FLAGS and KEYWORDS, hasaddr, sizes, exit.
//
// What has no equivalent stays in the script as a comment with a proposal, and
// is told as a Loss. The package runs nothing and opens no file; it knows the
// two languages and nothing of servers.
//
// Sources: maildropfilter(7), and courier-libs maildrop/lexer.C and
// recipeparse.C for what it does not say.
package maildrop
