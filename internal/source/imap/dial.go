package imap

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/source/linger"
)

// session is one connection, logged in.
type session struct {
	*imapclient.Client
	guid     *guidConn
	release  func() bool // stops watching the context
	free     func()      // gives the slot back
	selected string
	caps     imap.CapSet
}

// close frees the slot when the server has closed, too: it counts connections
// on its side, and there must never be one more.
func (s *session) close(closing *sync.WaitGroup) {
	closing.Go(func() {
		defer s.free()
		s.Client.Close()
		s.release()
	})
}

// connect makes a connection and logs in, waiting for a free slot first. It
// lives until it is closed or ctx ends.
func (s *Source) connect(ctx context.Context, a model.Account) (*session, error) {
	free, err := s.slot(ctx)
	if err != nil {
		return nil, err
	}
	conn, _, abort, err := s.dial(ctx)
	if err != nil {
		free()
		return nil, err
	}
	guid := newGUIDConn(conn)
	ses := &session{guid: guid, free: free, Client: imapclient.New(guid, nil)}
	ses.release = context.AfterFunc(ctx, abort)
	if err := s.login(ses, a); err != nil {
		ses.close(&s.closing)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	ses.caps = ses.Caps()
	s.knowCourier(ses.caps, nil)
	if ses.caps.Has("OBJECTID") {
		guid.attribute = attributeEmailID
	}
	return ses, nil
}

// slot waits until there may be one more connection.
func (s *Source) slot(ctx context.Context) (free func(), err error) {
	return s.opts.Bound.Take(ctx, s.at.host)
}

// dial returns a connection that a greeting will come from, over TLS if the
// server has it, and what closes it at once.
func (s *Source) dial(ctx context.Context) (conn net.Conn, secure bool, abort func(), err error) {
	tcp, err := linger.Dial(ctx, &net.Dialer{Timeout: reach.DialTime}, s.at.addr)
	if err != nil {
		return nil, false, nil, s.unreachable(err)
	}
	abort = func() { _ = tcp.Abort() }
	stop := context.AfterFunc(ctx, abort)
	defer stop()
	conn, secure, err = s.greet(ctx, s.opts.Throttle.Conn(tcp))
	return conn, secure, abort, err
}

func (s *Source) greet(ctx context.Context, conn net.Conn) (net.Conn, bool, error) {
	_ = conn.SetDeadline(time.Now().Add(reach.DialTime))
	defer func() { _ = conn.SetDeadline(time.Time{}) }()
	if s.at.tls {
		c, err := s.handshake(ctx, conn)
		return c, true, err
	}
	greeting, offered, err := askStartTLS(conn)
	switch {
	case err != nil:
		conn.Close()
		return nil, false, s.unreachable(err)
	case offered:
		c, err := s.handshake(ctx, conn)
		if err != nil {
			return nil, false, err
		}
		return &greeted{Conn: c, first: strings.NewReader("* OK ready\r\n")}, true, nil
	case !s.opts.Insecure:
		conn.Close()
		return nil, false, &model.Fault{Class: model.ClassFatal, Code: model.CodeAuth,
			Err:    fmt.Errorf("%s offers no TLS: a password would travel in the clear", s.at.addr),
			Remedy: "use imaps://, or set tls: {insecure: true} if the network is your own"}
	}
	return &greeted{Conn: conn, first: strings.NewReader(greeting)}, false, nil
}

func (s *Source) handshake(ctx context.Context, conn net.Conn) (net.Conn, error) {
	cfg := s.opts.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = s.at.host
	}
	c := tls.Client(conn, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, s.unreachable(err)
	}
	return c, nil
}

func (s *Source) unreachable(err error) *model.Fault {
	f := &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Err: fmt.Errorf("%s: %w", s.at.addr, err)}
	forGood := false
	if f.Remedy, forGood = reach.Remedy(err); forGood {
		f.Class = model.ClassFatal
	}
	return f
}

// greeted is a connection whose first octets have been read already.
type greeted struct {
	net.Conn
	first io.Reader
}

func (g *greeted) Read(p []byte) (int, error) {
	if n, err := g.first.Read(p); err == nil {
		return n, nil
	}
	return g.Conn.Read(p)
}

// askStartTLS reads the greeting and asks for TLS. Nothing is read beyond the
// answer, so that nothing sent in the clear passes for encrypted.
func askStartTLS(conn net.Conn) (greeting string, offered bool, err error) {
	r := bufio.NewReaderSize(oneByOne{conn}, 16)
	if greeting, err = readLine(r); err != nil {
		return "", false, err
	}
	if !strings.HasPrefix(greeting, "* OK") {
		return "", false, fmt.Errorf("the server says %q", strings.TrimSpace(greeting))
	}
	if _, err := io.WriteString(conn, "T1 STARTTLS\r\n"); err != nil {
		return "", false, err
	}
	for {
		line, err := readLine(r)
		if err != nil {
			return "", false, err
		}
		if rest, ok := strings.CutPrefix(line, "T1 "); ok {
			return greeting, strings.HasPrefix(strings.ToUpper(rest), "OK"), nil
		}
	}
}

const maxGreeting = 8 << 10

func readLine(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for b.Len() < maxGreeting {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		b.WriteByte(c)
		if c == '\n' {
			return b.String(), nil
		}
	}
	return "", errors.New("this is no IMAP server")
}

type oneByOne struct{ io.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.Reader.Read(p[:1]) }

// login authenticates as the account, by the master user or itself.
func (s *Source) login(ses *session, a model.Account) error {
	if err := ses.WaitGreeting(); err != nil {
		return s.refusedLogin(a, err)
	}
	user, password := a.Login, a.Secret
	authzid, authcid := "", a.Login
	if s.opts.Master != "" {
		password = s.opts.Password
		if s.opts.Separator != "" {
			user = a.Login + s.opts.Separator + s.opts.Master
			authcid = user
		} else {
			authzid, authcid = a.Login, s.opts.Master
		}
	}
	if password == "" && s.opts.Mechanism == "xoauth2" {
		password = s.opts.Password // a token that acts for everybody
	}
	if password == "" {
		return &model.Fault{Class: model.ClassAccount, Code: model.CodeAuth, Account: a.Login, Err: errors.New("no password is known"),
			Remedy: "give a master user, or a CSV file of logins and passwords"}
	}
	caps := ses.Caps()
	mechanism := s.opts.Mechanism
	if mechanism == "" {
		mechanism = "plain"
		if !caps.Has(imap.AuthCap("PLAIN")) && authzid == "" {
			mechanism = "login"
		}
	}
	var err error
	switch mechanism {
	case "plain":
		err = ses.Authenticate(sasl.NewPlainClient(authzid, authcid, password))
	case "login":
		if authzid != "" {
			return model.Faultf(model.ClassFatal, model.CodeAuth, "a master user needs a separator with the login mechanism")
		}
		err = ses.Login(user, password).Wait()
	case "xoauth2":
		err = ses.Authenticate(xoauth2{user: a.Login, token: password})
	default:
		return model.Faultf(model.ClassFatal, model.CodeAuth, "mechanism %q is not known: plain, login or xoauth2", mechanism)
	}
	if err == nil {
		s.refused.Store(0)
		return nil
	}
	return s.refusedLogin(a, err)
}

// masterRefusals is how many accounts a master user may be refused for, one
// after the other, before the run stops: servers make every further attempt
// slower.
const masterRefusals = 3

func (s *Source) refusedLogin(a model.Account, err error) error {
	no, ok := errors.AsType[*imap.Error](err)
	if !ok {
		return s.unreachable(err)
	}
	switch no.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeLimit, imap.ResponseCodeInUse, imap.ResponseCodeServerBug:
		return &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Account: a.Login, Err: err,
			Remedy: "fewer connections may help: limits.connections"}
	}
	f := &model.Fault{Class: model.ClassAccount, Code: model.CodeAuth, Account: a.Login, Err: err, Remedy: "check the password"}
	if s.opts.Master != "" {
		f.Remedy = "check the master user's name, separator and password, and that the account exists"
		if s.refused.Add(1) >= masterRefusals {
			f.Class = model.ClassFatal
		}
	}
	return f
}
