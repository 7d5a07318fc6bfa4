package table

import (
	"context"
	"database/sql"
	"fmt"

	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/reach"
)

// Connections are those to the servers that tables ask: one to each, for it is
// somebody's production server, and a Postfix has a dozen tables in one
// database. They are used by one goroutine.
type Connections struct {
	databases   map[string]*sql.DB
	directories map[string]*ldapusers.Conn
	wait        *reach.Server
}

// NewConnections has none yet. wait says how long servers are waited for; nil: not
// at all.
func NewConnections(wait *reach.Server) *Connections {
	return &Connections{databases: map[string]*sql.DB{}, directories: map[string]*ldapusers.Conn{}, wait: wait}
}

func (c *Connections) database(ctx context.Context, s sqlusers.Server) (*sql.DB, error) {
	key := fmt.Sprintf("%+v", s)
	if db, ok := c.databases[key]; ok {
		return db, nil
	}
	s.Reach = c.wait.Another()
	db, err := sqlusers.Open(ctx, s)
	if err == nil {
		c.databases[key] = db
	}
	return db, err
}

func (c *Connections) directory(ctx context.Context, s ldapusers.Server) (*ldapusers.Conn, error) {
	key := fmt.Sprint(s.URLs, s.StartTLS, s.BindDN, s.Password, s.TLS.InsecureSkipVerify, s.TLS.RootCAs != nil)
	if conn, ok := c.directories[key]; ok {
		return conn, nil
	}
	s.Reach = c.wait.Another()
	conn, err := ldapusers.Dial(ctx, s)
	if err == nil {
		c.directories[key] = conn
	}
	return conn, err
}

// Close ends all of them.
func (c *Connections) Close() {
	for _, db := range c.databases {
		db.Close()
	}
	for _, conn := range c.directories {
		conn.Close()
	}
}
