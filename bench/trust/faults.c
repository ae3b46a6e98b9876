/* Fails the n-th change of a folder, and by choice all that follow: `LD_PRELOAD` it into a process.

   FAULT_FOLDER  absolute path; changes elsewhere pass
   FAULT_AT      number of the change that fails first; 0 lets all pass
   FAULT_ERRNO   what it fails with
   FAULT_STAYS   1 when all changes after it fail as well
   FAULT_COUNT   file that the number of changes is written to at the end */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long changes;

static int under(const char *path) {
    const char *folder = getenv("FAULT_FOLDER");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int under_handle(int handle) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return under(path);
}

static int fails(void) {
    long number = __atomic_add_fetch(&changes, 1, __ATOMIC_RELAXED);
    const char *at = getenv("FAULT_AT"), *stays = getenv("FAULT_STAYS"), *code = getenv("FAULT_ERRNO");
    long first = at ? atol(at) : 0;
    if (!first || number < first || (number > first && !(stays && *stays == '1'))) return 0;
    errno = code ? atoi(code) : EIO;
    return 1;
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("FAULT_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) fprintf(file, "%ld", changes), fclose(file);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define ON_HANDLE(type, name, parameters, arguments)                     \
    type name parameters {                                               \
        REAL(name);                                                      \
        if (under_handle(handle) && fails()) return -1;                  \
        return real arguments;                                           \
    }
#define ON_PATH(name, parameters, arguments)                             \
    int name parameters {                                                \
        REAL(name);                                                      \
        if (under(path) && fails()) return -1;                           \
        return real arguments;                                           \
    }
#define ALLOCATE(name, offset_type)                                      \
    int name(int handle, offset_type offset, offset_type length) {       \
        REAL(name);                                                      \
        if (under_handle(handle) && fails()) return errno;               \
        return real(handle, offset, length);                             \
    }
#define OPEN(name)                                                       \
    int name(const char *path, int flags, ...) {                         \
        REAL(name);                                                      \
        va_list rest;                                                    \
        va_start(rest, flags);                                           \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;        \
        va_end(rest);                                                    \
        if (flags & O_CREAT && under(path) && access(path, F_OK) && fails()) return -1; \
        return real(path, flags, mode);                                  \
    }

ON_HANDLE(ssize_t, write, (int handle, const void *data, size_t size), (handle, data, size))
ON_HANDLE(ssize_t, pwrite, (int handle, const void *data, size_t size, off_t at), (handle, data, size, at))
ON_HANDLE(ssize_t, pwrite64, (int handle, const void *data, size_t size, off64_t at), (handle, data, size, at))
ON_HANDLE(int, fsync, (int handle), (handle))
ON_HANDLE(int, fdatasync, (int handle), (handle))
ON_HANDLE(int, ftruncate, (int handle, off_t size), (handle, size))
ON_HANDLE(int, ftruncate64, (int handle, off64_t size), (handle, size))
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode))
ON_PATH(rename, (const char *path, const char *target), (path, target))
ALLOCATE(posix_fallocate, off_t)
ALLOCATE(posix_fallocate64, off64_t)
OPEN(open)
OPEN(open64)
