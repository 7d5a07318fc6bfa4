package managesieve

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/linger"
	"mailhaul.org/mailhaul/internal/throttle"
)

// timeout bounds one command.
const timeout = time.Minute

// Login says whose scripts to read and how to be let in (SASL PLAIN,
// RFC 4616).
type Login struct {
	// Authorize is the user whose scripts are read; empty means that of
	// Authenticate.
	Authorize string
	// Authenticate and Password are checked by the server.
	Authenticate, Password string
}

// Client is one connection. It is not safe for concurrent use.
type Client struct {
	conn net.Conn
	r    *bufio.Reader
	caps map[string]string
}

// Dial connects to addr ("host:4190"), switches to TLS if the server has it,
// and logs in. It reads no faster than pace. Without TLS it goes on only if insecure. Faults:
// model.CodeUnreachable, model.CodeAuth.
func Dial(ctx context.Context, addr string, cfg *tls.Config, insecure bool, pace *throttle.Throttle, l Login) (*Client, error) {
	d := net.Dialer{Timeout: 30 * time.Second}
	conn, err := linger.Dial(ctx, &d, addr)
	if err != nil {
		return nil, unreachable(addr, err)
	}
	c := &Client{conn: pace.Conn(conn)}
	c.r = bufio.NewReader(c.conn)
	if err := c.start(ctx, addr, cfg, insecure, l); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func unreachable(addr string, err error) error {
	return &model.Fault{Class: model.ClassAccount, Code: model.CodeUnreachable, Err: fmt.Errorf("ManageSieve at %s: %w", addr, err),
		Remedy: "is the service running? Scripts can also be read from disk, or left out by leaving out the sieve setting"}
}

func (c *Client) start(ctx context.Context, addr string, cfg *tls.Config, insecure bool, l Login) error {
	if err := c.capabilities(); err != nil {
		return unreachable(addr, err)
	}
	_, offered := c.caps["STARTTLS"]
	switch {
	case offered:
		if _, err := c.command("STARTTLS"); err != nil {
			return unreachable(addr, err)
		}
		cfg = cfg.Clone()
		if cfg.ServerName == "" {
			cfg.ServerName, _, _ = net.SplitHostPort(addr)
		}
		t := tls.Client(c.conn, cfg)
		if err := t.HandshakeContext(ctx); err != nil {
			return unreachable(addr, err)
		}
		// What came in the clear after the answer is forgotten.
		c.conn, c.r = t, bufio.NewReader(t)
		if err := c.capabilities(); err != nil {
			return unreachable(addr, err)
		}
	case !insecure:
		return &model.Fault{Class: model.ClassAccount, Code: model.CodeAuth, Err: fmt.Errorf("ManageSieve at %s offers no TLS: a password would travel in the clear", addr),
			Remedy: "set tls: {insecure: true} if the network is your own"}
	}
	token := base64.StdEncoding.EncodeToString([]byte(l.Authorize + "\x00" + l.Authenticate + "\x00" + l.Password))
	if _, err := c.command(`AUTHENTICATE "PLAIN" "` + token + `"`); err != nil {
		if errors.Is(err, errNo) {
			return &model.Fault{Class: model.ClassAccount, Code: model.CodeAuth, Err: fmt.Errorf("ManageSieve at %s: %w", addr, err)}
		}
		return unreachable(addr, err)
	}
	return nil
}

// capabilities reads the list that a server sends of its own (RFC 5804 §1.7).
func (c *Client) capabilities() error {
	_ = c.conn.SetDeadline(time.Now().Add(timeout))
	rep, err := readReply(c.r)
	if err != nil {
		return err
	}
	if rep.status != "OK" {
		return fmt.Errorf("the server says %s %s", rep.status, rep.text)
	}
	c.caps = map[string]string{}
	for _, l := range rep.lines {
		if len(l) > 0 {
			value := ""
			if len(l) > 1 {
				value = l[1].text
			}
			c.caps[strings.ToUpper(l[0].text)] = value
		}
	}
	return nil
}

var errNo = errors.New("refused")

func (c *Client) command(line string) (reply, error) {
	_ = c.conn.SetDeadline(time.Now().Add(timeout))
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		return reply{}, err
	}
	rep, err := readReply(c.r)
	if err == nil && rep.status != "OK" {
		err = fmt.Errorf("%w: %s", errNo, rep.text)
	}
	return rep, err
}

// Scripts returns all scripts of the user.
func (c *Client) Scripts() ([]model.Script, error) {
	rep, err := c.command("LISTSCRIPTS")
	if err != nil {
		return nil, fmt.Errorf("list scripts: %w", err)
	}
	var out []model.Script
	for _, l := range rep.lines {
		if len(l) == 0 {
			continue
		}
		s := model.Script{Name: l[0].text, Active: len(l) > 1 && strings.EqualFold(l[1].text, "ACTIVE")}
		got, err := c.command("GETSCRIPT " + literal(s.Name))
		if err != nil {
			return nil, fmt.Errorf("script %q: %w", s.Name, err)
		}
		if len(got.lines) == 0 || len(got.lines[0]) == 0 {
			return nil, fmt.Errorf("script %q: the server sent none", s.Name)
		}
		s.Content = []byte(got.lines[0][0].text)
		// Names are UTF-8 (RFC 5804 §1.6). Cyrus 3.6 keeps scripts as messages
		// and lists others than ASCII as it writes them into a subject.
		if decoded, err := new(mime.WordDecoder).DecodeHeader(s.Name); err == nil && strings.HasPrefix(s.Name, "=?") {
			s.Name = decoded
		}
		out = append(out, s)
	}
	return out, nil
}

// literal writes a string that may hold anything (RFC 5804 §2.1).
func literal(s string) string { return fmt.Sprintf("{%d+}\r\n%s", len(s), s) }

// Close ends the connection.
func (c *Client) Close() error {
	_ = c.conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(c.conn, "LOGOUT\r\n")
	// It returns when the server has closed, too.
	return c.conn.Close()
}
