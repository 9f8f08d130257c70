/* Preloaded into vmpolicyd: its wall clock is ahead by as many milliseconds as a file says, which may change at any time.
 *
 *   CLOCK_FILE   eight bytes: a signed number, as this machine has them
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CLOCK_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *page = mmap(0, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) ahead = page;
    close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int status = ((__typeof__(&clock_gettime))dlsym(RTLD_NEXT, "clock_gettime"))(clock, at);
    if (status == 0 && clock == CLOCK_REALTIME && ahead) {
        int64_t millis = *ahead;
        at->tv_sec += millis / 1000;
        at->tv_nsec += millis % 1000 * 1000000;
        if (at->tv_nsec < 0) at->tv_sec--, at->tv_nsec += 1000000000;
        if (at->tv_nsec >= 1000000000) at->tv_sec++, at->tv_nsec -= 1000000000;
    }
    return status;
}
