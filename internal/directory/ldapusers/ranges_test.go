package ldapusers_test

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// ranges stands between a client and a directory server, and gives at most so
// many members of a group at once, as Active Directory does
// ([MS-ADTS] §3.1.1.3.1.3.3): "member;range=0-9", and "member;range=40-*" at the
// end.
type ranges struct {
	most int
	mu   sync.Mutex
	from map[int64]int // asked for, by message id
}

func startRanges(t *testing.T, server string, most int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			r := &ranges{most: most, from: map[int64]int{}}
			all.Go(func() { r.pass(client, up, r.request) })
			all.Go(func() { r.pass(up, client, r.answer) })
		}
	})
	return l.Addr().String()
}

func (r *ranges) pass(from, to net.Conn, change func(*ber.Packet)) {
	defer from.Close()
	defer to.Close()
	for {
		p, err := ber.ReadPacket(from)
		if err != nil {
			return
		}
		change(p)
		if _, err := to.Write(fresh(p).Bytes()); err != nil {
			return
		}
	}
}

// fresh encodes a packet anew: what was read keeps its old octets.
func fresh(p *ber.Packet) *ber.Packet {
	out := ber.Encode(p.ClassType, p.TagType, p.Tag, nil, "")
	if p.TagType == ber.TypePrimitive {
		out.Data.Write(p.Data.Bytes())
		return out
	}
	for _, c := range p.Children {
		out.AppendChild(fresh(c))
	}
	return out
}

func text(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

// request takes the range out of a search's attributes (RFC 4511 §4.5.1).
func (r *ranges) request(p *ber.Packet) {
	if len(p.Children) < 2 || p.Children[1].Tag != 3 {
		return
	}
	attributes := p.Children[1].Children[7]
	for i, a := range attributes.Children {
		name, option, ok := strings.Cut(a.Data.String(), ";range=")
		if !ok {
			continue
		}
		first, _, _ := strings.Cut(option, "-")
		from, _ := strconv.Atoi(first)
		r.mu.Lock()
		r.from[p.Children[0].Value.(int64)] = from
		r.mu.Unlock()
		attributes.Children[i] = text(name)
	}
}

// answer gives a part of the members of an entry (§4.5.2).
func (r *ranges) answer(p *ber.Packet) {
	if len(p.Children) < 2 || p.Children[1].Tag != 4 {
		return
	}
	r.mu.Lock()
	from := r.from[p.Children[0].Value.(int64)]
	r.mu.Unlock()
	for _, a := range p.Children[1].Children[1].Children {
		if !strings.EqualFold(a.Children[0].Data.String(), "member") || len(a.Children[1].Children) <= r.most {
			continue
		}
		values := a.Children[1].Children
		end, last := from+r.most, fmt.Sprint(from+r.most-1)
		if end >= len(values) {
			end, last = len(values), "*"
		}
		a.Children[0] = text(fmt.Sprintf("member;range=%d-%s", from, last))
		a.Children[1].Children = values[from:end]
	}
}
