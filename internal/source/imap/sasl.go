package imap

import "github.com/emersion/go-sasl"

// xoauth2 is Google's and Microsoft's SASL mechanism for access tokens,
// https://developers.google.com/gmail/imap/xoauth2-protocol
type xoauth2 struct{ user, token string }

func (x xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the error that the server sends as a challenge, so that it
// can say NO.
func (x xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }

var _ sasl.Client = xoauth2{}
