/*
 * Records what a process does to the files below the folder POWER_CUT_FOLDER, in the log POWER_CUT_LOG, in the order in
 * which it happens. The power-cut test preloads it (LD_PRELOAD), and power-cut-trace.ts reads the log. Several processes
 * may write to one log. For Linux, 64 bits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if __SIZEOF_POINTER__ != 8
#error "only for 64 bits"
#endif

enum { OPEN = 1, CLOSE, WRITE, TRUNCATE, SYNC_STARTED, SYNC_ENDED, UNLINK, RENAME, MKDIR };

struct header {
  uint32_t kind, process;
  int32_t fd;
  uint32_t length;
  /* Of a write; the size after a truncation; the number of a sync; of an open: 1 created, 2 truncated. */
  int64_t number;
};

#define MOST_FDS 65536
static _Atomic unsigned char watched[MOST_FDS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static size_t folder_length;
static int log_fd = -1;
static int64_t syncs;

__attribute__((constructor)) static void begin(void) {
  const char *log = getenv("POWER_CUT_LOG");
  folder = getenv("POWER_CUT_FOLDER");
  if (log == NULL || folder == NULL) return;
  folder_length = strlen(folder);
  log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void lock(void) {
  pthread_mutex_lock(&mutex);
  while (syscall(SYS_flock, log_fd, LOCK_EX) != 0);
}

static void unlock(void) {
  int error = errno;
  syscall(SYS_flock, log_fd, LOCK_UN);
  pthread_mutex_unlock(&mutex);
  errno = error;
}

static void record(uint32_t kind, int fd, int64_t number, const void *data, size_t length) {
  int error = errno;
  struct header header = {kind, (uint32_t)getpid(), fd, (uint32_t)length, number};
  struct iovec parts[2] = {{&header, sizeof header}, {(void *)data, length}};
  /* A log with a hole would prove nothing. */
  if (syscall(SYS_writev, log_fd, parts, 2) != (long)(sizeof header + length)) abort();
  errno = error;
}

/*
 * The path below the folder, "" for the folder itself; NULL for what is elsewhere, and for shared memory, which does not
 * survive a power failure.
 */
static const char *below(const char *path) {
  if (log_fd < 0 || path == NULL || strncmp(path, folder, folder_length) != 0) return NULL;
  const char *rest = path + folder_length;
  if (*rest != '/' && *rest != '\0') return NULL;
  if (*rest == '/') rest++;
  size_t length = strlen(rest);
  return length >= 4 && strcmp(rest + length - 4, "-shm") == 0 ? NULL : rest;
}

static int is_watched(int fd) { return fd >= 0 && fd < MOST_FDS && watched[fd]; }

static int open_at(int at, const char *path, int flags, mode_t mode) {
  const char *name = below(path);
  if (name == NULL) return syscall(SYS_openat, at, path, flags, mode);
  lock();
  int is_new = syscall(SYS_faccessat, at, path, F_OK) != 0;
  int fd = syscall(SYS_openat, at, path, flags, mode);
  if (fd >= 0) {
    if (fd >= MOST_FDS) abort();
    watched[fd] = 1;
    record(OPEN, fd, (is_new ? 1 : 0) | (flags & O_TRUNC ? 2 : 0), name, strlen(name));
  }
  unlock();
  return fd;
}

#define MODE(flags)                      \
  mode_t mode = 0;                       \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest;                        \
    va_start(rest, flags);               \
    mode = va_arg(rest, mode_t);         \
    va_end(rest);                        \
  }

int open(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int close(int fd) {
  if (!is_watched(fd)) return syscall(SYS_close, fd);
  lock();
  watched[fd] = 0;
  record(CLOSE, fd, 0, NULL, 0);
  int result = syscall(SYS_close, fd);
  unlock();
  return result;
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, int64_t at) {
  if (!is_watched(fd)) return at < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, at, 0L);
  lock();
  ssize_t written = at < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, at, 0L);
  if (written > 0) {
    int64_t offset = at < 0 ? syscall(SYS_lseek, fd, 0L, SEEK_CUR) - written : at;
    size_t left = (size_t)written;
    for (int part = 0; left > 0; part++) {
      size_t length = parts[part].iov_len < left ? parts[part].iov_len : left;
      record(WRITE, fd, offset, parts[part].iov_base, length);
      offset += (int64_t)length;
      left -= length;
    }
  }
  unlock();
  return written;
}

ssize_t write(int fd, const void *data, size_t length) {
  if (!is_watched(fd)) return syscall(SYS_write, fd, data, length);
  struct iovec part = {(void *)data, length};
  return write_parts(fd, &part, 1, -1);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  if (!is_watched(fd)) return syscall(SYS_pwrite64, fd, data, length, at);
  struct iovec part = {(void *)data, length};
  return write_parts(fd, &part, 1, at);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return write_parts(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return write_parts(fd, parts, count, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return write_parts(fd, parts, count, at); }

static int resize(int fd, long call, int mode, int64_t from, int64_t length) {
  if (is_watched(fd)) lock();
  int result = call == SYS_ftruncate ? syscall(call, fd, length) : syscall(call, fd, mode, from, length);
  if (is_watched(fd)) {
    struct stat now;
    if (result == 0 && fstat(fd, &now) == 0) record(TRUNCATE, fd, now.st_size, NULL, 0);
    unlock();
  }
  return result;
}

int ftruncate(int fd, off_t size) { return resize(fd, SYS_ftruncate, 0, 0, size); }
int ftruncate64(int fd, off64_t size) { return resize(fd, SYS_ftruncate, 0, 0, size); }
int fallocate(int fd, int mode, off_t from, off_t length) { return resize(fd, SYS_fallocate, mode, from, length); }
int fallocate64(int fd, int mode, off64_t from, off64_t length) { return resize(fd, SYS_fallocate, mode, from, length); }
int posix_fallocate(int fd, off_t from, off_t length) { return resize(fd, SYS_fallocate, 0, from, length) == 0 ? 0 : errno; }
int posix_fallocate64(int fd, off64_t from, off64_t length) { return posix_fallocate(fd, from, length); }

/* Without the lock: what is written while a sync is under way need not be part of it. */
static int sync_file(int fd, long call) {
  if (!is_watched(fd)) return syscall(call, fd);
  lock();
  int64_t number = ++syncs;
  record(SYNC_STARTED, fd, number, NULL, 0);
  unlock();
  int result = syscall(call, fd);
  if (result != 0) return result;
  lock();
  record(SYNC_ENDED, fd, number, NULL, 0);
  unlock();
  return 0;
}

int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

int unlink(const char *path) {
  const char *name = below(path);
  if (name == NULL) return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  lock();
  int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (result == 0) record(UNLINK, -1, 0, name, strlen(name));
  unlock();
  return result;
}

int rename(const char *from, const char *to) {
  const char *old_name = below(from), *new_name = below(to);
  if (old_name == NULL || new_name == NULL) return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  lock();
  int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (result == 0) {
    char names[8192];
    size_t length = strlen(old_name) + 1 + strlen(new_name);
    if (length >= sizeof names) abort();
    strcpy(names, old_name);
    strcpy(names + strlen(old_name) + 1, new_name);
    record(RENAME, -1, 0, names, length);
  }
  unlock();
  return result;
}

int mkdir(const char *path, mode_t mode) {
  const char *name = below(path);
  if (name == NULL) return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  lock();
  int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  if (result == 0) record(MKDIR, -1, 0, name, strlen(name));
  unlock();
  return result;
}
