package lab

// AdminPassword is what the administrators and master users of Dovecot, Cyrus
// and Stalwart log in with: tests that run side by side can name it in the
// environment once.
const AdminPassword = "lab-Admin-7391"
