// Package dovecotacl reads the access control lists that Dovecot's plugin acl
// keeps in files (acl = vfile): one dovecot-acl for each mailbox, a global file
// or folder for all of them. It tells them as GETACL does.
//
// It knows nothing of formats of mail: the readers of Maildir and dbox say where
// a mailbox's file is.
package dovecotacl
