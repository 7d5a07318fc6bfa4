package confined

import "syscall"

// noAtime leaves the access time of a file alone, where permitted: only its
// owner and root may ask for that.
const noAtime = syscall.O_NOATIME
