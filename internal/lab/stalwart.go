package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/jmap"
)

// Stalwart is a running Stalwart server with an empty store.
type Stalwart struct {
	// URL is where JMAP is served, "http://127.0.0.1:port".
	URL string
	// AdminUser and AdminPassword log in as the recovery administrator, who
	// holds every permission but is no account of its own.
	AdminUser, AdminPassword string
	// IMAP, Sieve and LMTP are addresses of plain-text listeners.
	IMAP, Sieve, LMTP string
	// Domain is the default domain, which has no accounts.
	Domain string
	// PID is the server's process id.
	PID int

	process *stalwartProcess
}

// StalwartBinary returns the server's path: MAILHAUL_STALWART if set, else
// what PATH finds; empty when there is none.
func StalwartBinary() string {
	if p := os.Getenv("MAILHAUL_STALWART"); p != "" {
		return p
	}
	p, err := exec.LookPath("stalwart")
	if err != nil {
		return ""
	}
	return p
}

// StartStalwart configures and starts a server on free ports of 127.0.0.1
// and stops it when the test ends. The test is skipped where there is no
// binary.
//
// A new store is configured in recovery mode, which insists on listening on
// all interfaces: where the system allows it, that phase runs in a network
// namespace of its own.
func StartStalwart(t testing.TB) *Stalwart {
	t.Helper()
	bin := StalwartBinary()
	if bin == "" {
		t.Skip("no Stalwart here: put `stalwart` on PATH or name it in MAILHAUL_STALWART")
	}
	s := &Stalwart{AdminUser: "admin", AdminPassword: AdminPassword, Domain: "lab.test"}
	ports := freePorts(t, 4)
	at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(ports[i]) }
	s.URL, s.IMAP, s.Sieve, s.LMTP = "http://"+at(0), at(1), at(2), at(3)

	dir := t.TempDir()
	config := filepath.Join(dir, "config.json")
	store, err := json.Marshal(map[string]any{"@type": "RocksDb", "path": filepath.Join(dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, store, 0o600); err != nil {
		t.Fatal(err)
	}
	p := &stalwartProcess{t: t, bin: bin, config: config, log: filepath.Join(dir, "log"), admin: s.AdminUser + ":" + s.AdminPassword}

	p.start(true, "STALWART_RECOVERY_MODE=1", "STALWART_RECOVERY_MODE_PORT="+strconv.Itoa(ports[0]))
	c := p.login(s)
	domain := p.configure(c, s)
	p.disableApplications(c)
	if domain == "" {
		t.Fatal("the lab's Stalwart made no domain")
	}
	p.stop()

	p.start(false, "STALWART_PUBLIC_URL="+s.URL)
	t.Cleanup(p.stop)
	c = p.login(s)
	p.disableThrottles(c)
	s.PID, s.process = p.cmd.Process.Pid, p
	return s
}

// Stop ends the server; Restart starts it again.
func (s *Stalwart) Stop() { s.process.stop() }

// Restart ends the server, by SIGKILL if it is to crash, and starts it again at
// the same addresses.
func (s *Stalwart) Restart(t testing.TB, crash bool) {
	t.Helper()
	p := s.process
	if crash {
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	p.stop()
	p.start(false, "STALWART_PUBLIC_URL="+s.URL)
	_ = p.login(s).Close()
	s.PID = p.cmd.Process.Pid
}

type set = map[string]any

// configure makes the domain, the listeners and everything that keeps the
// server from reaching out, and returns the domain's id.
func (p *stalwartProcess) configure(c *jmap.Client, s *Stalwart) string {
	var made struct {
		Created map[string]struct {
			ID string `json:"id"`
		} `json:"created"`
	}
	p.call(c, "x:Domain/set", set{"create": set{"d": set{"name": s.Domain,
		"dkimManagement": set{"@type": "Manual"}, "dnsManagement": set{"@type": "Manual"}, "certificateManagement": set{"@type": "Manual"}}}}, &made)
	id := made.Created["d"].ID
	listener := func(name, protocol, bind string) set {
		return set{"name": name, "protocol": protocol, "bind": set{bind: true}, "useTls": false, "tlsImplicit": false}
	}
	one := func(v set) set { return set{"update": set{"singleton": v}} }
	p.call(c, "x:SystemSettings/set", one(set{"defaultHostname": "mail." + s.Domain, "defaultDomainId": id}), nil)
	p.call(c, "x:NetworkListener/set", set{"create": set{
		"h": listener("http", "http", s.URL[len("http://"):]),
		"i": listener("imap", "imap", s.IMAP),
		"s": listener("sieve", "manageSieve", s.Sieve),
		"l": listener("lmtp", "lmtp", s.LMTP),
	}}, nil)
	p.call(c, "x:Tracer/set", set{"create": set{"t": set{"@type": "Stdout", "level": "info", "ansi": false, "events": set{}, "eventsPolicy": "exclude"}}}, nil)
	p.call(c, "x:SpamSettings/set", one(set{"enable": false, "spamFilterRulesUrl": nil}), nil)
	// Offline, these would make each reload fail or download at start.
	p.call(c, "x:SpamPyzor/set", one(set{"enable": false}), nil)
	p.call(c, "x:Asn/set", one(set{"@type": "Resource", "asnUrls": set{}, "geoUrls": set{}}), nil)
	p.call(c, "x:Imap/set", one(set{"allowPlainTextAuth": true}), nil)
	p.call(c, "x:MtaStageAuth/set", one(set{"require": set{"else": "false"}}), nil)
	return id
}

// disableApplications keeps the server from fetching its web interface.
func (p *stalwartProcess) disableApplications(c *jmap.Client) {
	p.disable(c, "x:Application", "enabled")
}

// disableThrottles lifts five connections a second, which tests exceed.
func (p *stalwartProcess) disableThrottles(c *jmap.Client) {
	p.disable(c, "x:MtaInboundThrottle", "enable")
	p.call(c, "x:Action/set", set{"create": set{"r": set{"@type": "ReloadSettings"}}}, nil)
}

func (p *stalwartProcess) disable(c *jmap.Client, object, property string) {
	var found struct {
		IDs []string `json:"ids"`
	}
	p.call(c, object+"/query", set{}, &found)
	update := set{}
	for _, id := range found.IDs {
		update[id] = set{property: false}
	}
	if len(update) > 0 {
		p.call(c, object+"/set", set{"update": update}, nil)
	}
}

// call makes one method call and fails the test on any error in its answer.
func (p *stalwartProcess) call(c *jmap.Client, method string, args set, v any) {
	p.t.Helper()
	Manage(p.t, c, method, args, v)
}

// stalwartProcess is the server's process.
type stalwartProcess struct {
	t                       testing.TB
	bin, config, log, admin string
	cmd                     *exec.Cmd
	exited                  chan struct{}
	dial                    func(ctx context.Context, network, address string) (net.Conn, error)
}

func (p *stalwartProcess) start(private bool, env ...string) {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	command := func() *exec.Cmd {
		cmd := exec.Command(p.bin, "--config", p.config)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(p.config), "STALWART_RECOVERY_ADMIN=" + p.admin}, env...)
		cmd.Dir = filepath.Dir(p.config)
		cmd.Stdout, cmd.Stderr = log, log
		return cmd
	}
	p.cmd, p.dial = command(), nil
	if private && isolate(p.cmd) && p.cmd.Start() == nil {
		p.dial = dialIn(p.cmd.Process.Pid)
	} else {
		p.cmd = command()
		if err := p.cmd.Start(); err != nil {
			p.t.Fatalf("start %s: %v", p.bin, err)
		}
	}
	cmd, exited := p.cmd, make(chan struct{})
	p.exited = exited
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
}

// login waits until the server answers and logs in.
func (p *stalwartProcess) login(s *Stalwart) *jmap.Client {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if err := p.await(ctx, s.URL+"/healthz/live"); err != nil {
		tail, _ := os.ReadFile(p.log)
		p.stop()
		p.t.Fatalf("the lab's Stalwart does not answer: %v\n%s", err, tail[max(0, len(tail)-4000):])
	}
	c, err := jmap.Dial(ctx, jmap.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword, DialContext: p.dial})
	if err != nil {
		p.stop()
		p.t.Fatalf("log in to the lab's Stalwart: %v", err)
	}
	return c
}

func (p *stalwartProcess) await(ctx context.Context, url string) error {
	tr := &http.Transport{DialContext: p.dial, DisableKeepAlives: true}
	client := &http.Client{Transport: tr, Timeout: 5 * time.Second}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		resp, err := client.Get(url)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		select {
		case <-p.exited:
			return fmt.Errorf("it has ended; last answer: %w", err)
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// stop ends the server by its process id; it may be called twice.
func (p *stalwartProcess) stop() {
	select {
	case <-p.exited:
		return
	default:
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}
