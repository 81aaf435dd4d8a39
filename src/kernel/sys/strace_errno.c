/* SPDX-License-Identifier: Apache-2.0 */
/* Names and texts of error numbers: errno(3). */
#include "abi/linux/errno.h"
#include "base/types.h"
#include "kernel/sys/strace.h"

#define ERRNO_TABLE(X)                                              \
	X(EPERM, "Operation not permitted")                         \
	X(ENOENT, "No such file or directory")                      \
	X(ESRCH, "No such process")                                 \
	X(EINTR, "Interrupted system call")                         \
	X(EIO, "Input/output error")                                \
	X(ENXIO, "No such device or address")                       \
	X(E2BIG, "Argument list too long")                          \
	X(ENOEXEC, "Exec format error")                             \
	X(EBADF, "Bad file descriptor")                             \
	X(ECHILD, "No child processes")                             \
	X(EAGAIN, "Resource temporarily unavailable")               \
	X(ENOMEM, "Cannot allocate memory")                         \
	X(EACCES, "Permission denied")                              \
	X(EFAULT, "Bad address")                                    \
	X(EBUSY, "Device or resource busy")                         \
	X(EEXIST, "File exists")                                    \
	X(EXDEV, "Invalid cross-device link")                       \
	X(ENODEV, "No such device")                                 \
	X(ENOTDIR, "Not a directory")                               \
	X(EISDIR, "Is a directory")                                 \
	X(EINVAL, "Invalid argument")                               \
	X(ENFILE, "Too many open files in system")                  \
	X(EMFILE, "Too many open files")                            \
	X(ENOTTY, "Inappropriate ioctl for device")                 \
	X(ETXTBSY, "Text file busy")                                \
	X(EFBIG, "File too large")                                  \
	X(ENOSPC, "No space left on device")                        \
	X(ESPIPE, "Illegal seek")                                   \
	X(EROFS, "Read-only file system")                           \
	X(EMLINK, "Too many links")                                 \
	X(EPIPE, "Broken pipe")                                     \
	X(EDOM, "Numerical argument out of domain")                 \
	X(ERANGE, "Numerical result out of range")                  \
	X(EDEADLK, "Resource deadlock avoided")                     \
	X(ENAMETOOLONG, "File name too long")                       \
	X(ENOLCK, "No locks available")                             \
	X(ENOSYS, "Function not implemented")                       \
	X(ENOTEMPTY, "Directory not empty")                         \
	X(ELOOP, "Too many levels of symbolic links")               \
	X(ENODATA, "No data available")                             \
	X(EOVERFLOW, "Value too large for defined data type")       \
	X(ENOTSOCK, "Socket operation on non-socket")               \
	X(EOPNOTSUPP, "Operation not supported")                    \
	X(EAFNOSUPPORT, "Address family not supported by protocol") \
	X(ETIMEDOUT, "Connection timed out")                        \
	X(EINPROGRESS, "Operation now in progress")

static const struct {
	const char *name, *text;
} errors[] = {
#define ERRNO_ROW(name, text) [name] = { #name, text },
	ERRNO_TABLE(ERRNO_ROW)
#undef ERRNO_ROW
};

const char *errno_name(int error)
{
	return error > 0 && (size_t)error < ARRAY_SIZE(errors) ? errors[error].name : NULL;
}

const char *errno_text(int error)
{
	return error > 0 && (size_t)error < ARRAY_SIZE(errors) ? errors[error].text : NULL;
}
