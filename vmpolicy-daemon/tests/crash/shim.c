/* Preloaded into vmpolicyd: its N-th call that touches the state or the records kills it, or fails.
 *
 *   SHIM_AT=N        which call, from 1
 *   SHIM_ERRNO=E     it fails with this; without it, the process is killed before it
 *   SHIM_LOG=FILE    a line for each call
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 4096
static atomic_bool ours[FILES];
static atomic_int count;

#define REAL(name, ...) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

static int is_ours(const char *path) { return path && (strstr(path, "/state") || strstr(path, "/records")); }

static void mark(int fd, const char *path) {
    if (fd >= 0 && fd < FILES) ours[fd] = is_ours(path);
}

/* Whether the call is to fail. */
static int reached(const char *call) {
    int now = ++count;
    const char *log = getenv("SHIM_LOG"), *at = getenv("SHIM_AT"), *error = getenv("SHIM_ERRNO");
    if (log) {
        int fd = REAL(open64, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        char line[64] = "";
        strncat(line, call, sizeof line - 2);
        strcat(line, "\n");
        if (fd >= 0 && REAL(write, fd, line, strlen(line)) > 0) REAL(close, fd);
    }
    if (!at || now != atoi(at)) return 0;
    if (!error) kill(getpid(), SIGKILL);
    errno = atoi(error);
    return 1;
}

static int opened(const char *path, int fd) {
    mark(fd, path);
    return fd;
}

int open64(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    if (is_ours(path) && reached("open")) return -1;
    return opened(path, REAL(open64, path, flags, mode));
}

int close(int fd) {
    if (fd >= 0 && fd < FILES) ours[fd] = 0;
    return REAL(close, fd);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (fd >= 0 && fd < FILES && ours[fd] && reached("write")) return -1;
    return REAL(write, fd, bytes, length);
}

int fsync(int fd) {
    if (fd >= 0 && fd < FILES && ours[fd] && reached("fsync")) return -1;
    return REAL(fsync, fd);
}

int fdatasync(int fd) {
    if (fd >= 0 && fd < FILES && ours[fd] && reached("fdatasync")) return -1;
    return REAL(fdatasync, fd);
}

int rename(const char *from, const char *to) {
    if (is_ours(to) && reached("rename")) return -1;
    return REAL(rename, from, to);
}

int unlink(const char *path) {
    if (is_ours(path) && reached("unlink")) return -1;
    return REAL(unlink, path);
}
