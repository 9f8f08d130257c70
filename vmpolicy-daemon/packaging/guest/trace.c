/* trace START LATER OFFSETS PROGRAM [ARGUMENT..]: which functions of a program run.
 * OFFSETS is a file of the functions' addresses in the program, in hexadecimal; those that ran in the first START seconds are
 * printed in the order in which they did, and after a line of "--" those that ran in the LATER ones. Each begins with a
 * breakpoint, which goes when it is met. x86-64 Linux. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long *at;
static unsigned char *was, *seen;
static size_t count;

static long find(unsigned long address) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (at[middle] < address) low = middle + 1; else high = middle;
    }
    return low < count && at[low] == address ? (long)low : -1;
}

static int by_address(const void *one, const void *other) {
    unsigned long a = *(const unsigned long *)one, b = *(const unsigned long *)other;
    return (a > b) - (a < b);
}

static pid_t child;
static volatile sig_atomic_t rings;
static void ring(int signal) { (void)signal; rings++; if (rings > 1) kill(child, SIGTERM); }

static int memory;
static unsigned long base;

static int stop_at_each(void) {
    unsigned char stop = 0xcc;
    for (size_t i = 0; i < count; i++)
        if (pwrite(memory, &stop, 1, (off_t)(base + at[i])) != 1) return -1;
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    FILE *offsets = fopen(argv[3], "r");
    size_t room = 1 << 16;
    at = calloc(room, sizeof *at);
    while (offsets && count < room && fscanf(offsets, "%lx", &at[count]) == 1) count++;
    qsort(at, count, sizeof *at, by_address);
    was = calloc(count, 1), seen = calloc(count, 1);
    if (!count || !was || !seen) return 2;
    child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        dup2(2, 1);
        execv(argv[4], argv + 4);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", child);
    FILE *maps = fopen(path, "r");
    if (!maps || !fgets(line, sizeof line, maps) || sscanf(line, "%lx", &base) != 1) return 3;
    fclose(maps);
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    memory = open(path, O_RDWR);
    for (size_t i = 0; i < count; i++)
        if (pread(memory, &was[i], 1, (off_t)(base + at[i])) != 1) return 3;
    if (stop_at_each()) return 3;
    struct sigaction action = {.sa_handler = ring}; /* waitpid is to be interrupted */
    sigaction(SIGALRM, &action, 0);
    alarm((unsigned)atoi(argv[1]));
    ptrace(PTRACE_CONT, child, 0, 0);
    for (int again = 0;;) {
        if (rings > 0 && !again) {
            again = 1;
            puts("--");
            memset(seen, 0, count);
            if (stop_at_each()) return 3;
            alarm((unsigned)atoi(argv[2]));
        }
        pid_t who = waitpid(-1, &status, __WALL);
        if (who < 0) { if (errno == EINTR) continue; break; }
        if (WIFEXITED(status) || WIFSIGNALED(status)) { if (who == child) break; continue; }
        int signal = WSTOPSIG(status), pass = 0;
        if (signal == SIGTRAP && status >> 16 == 0) {
            struct user_regs_struct registers;
            ptrace(PTRACE_GETREGS, who, 0, &registers);
            long i = find(registers.rip - 1 - base);
            if (i >= 0) {
                if (!seen[i]) { seen[i] = 1; pwrite(memory, &was[i], 1, (off_t)(base + at[i])); printf("%lx\n", at[i]); }
                registers.rip--;
                ptrace(PTRACE_SETREGS, who, 0, &registers);
            }
        } else if (signal != SIGSTOP && signal != SIGTRAP) pass = signal;
        ptrace(PTRACE_CONT, who, 0, pass);
    }
    return 0;
}
