#define _GNU_SOURCE 1
#include "line_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

enum { kBufferBytes = 256 * 1024 };

static void fail_for(const char* path, int error) __attribute__((noreturn));
static void fail_for(const char* path, int error) {
  fail(kExitInput, "cannot read %s: %s", path, strerror(error));
}

uint64_t line_reader_check(const char* const* paths, size_t count) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    struct stat status;
    if (stat(paths[i], &status) != 0 || access(paths[i], R_OK) != 0) {
      fail_for(paths[i], errno);
    }
    if (S_ISDIR(status.st_mode)) {
      fail_for(paths[i], EISDIR);
    }
    /* A pipe or a device is not opened here: what it holds could be taken only once. */
    bytes = S_ISREG(status.st_mode) && bytes != UINT64_MAX ? bytes + (uint64_t)status.st_size
                                                           : UINT64_MAX;
  }
  return bytes;
}

void line_reader_start(line_reader* reader, const char* const* paths, size_t count,
                       uint64_t limit) {
  *reader = (line_reader){.paths = paths, .path_count = count, .limit = limit, .file = -1};
  reader->buffer = grow_or_fail(NULL, kBufferBytes);
}

void line_reader_end(line_reader* reader) {
  if (reader->file >= 0) {
    close(reader->file);
  }
  free(reader->buffer);
  free(reader->unended);
  *reader = (line_reader){.file = -1};
}

void line_batch_free(line_batch* batch) {
  free(batch->data);
  free(batch->offsets);
  *batch = (line_batch){0};
}

/* Opens the next file, after the last one the first again. false: everything has been read. */
static bool open_next(line_reader* reader) {
  if (reader->path_index == reader->path_count) {
    if (reader->limit == LINES_ONCE || reader->lines == reader->round_begin) {
      return false; /* files without a line would be read for ever */
    }
    reader->path_index = 0;
    reader->round_begin = reader->lines;
  }
  const char* path = reader->paths[reader->path_index];
  reader->file = open(path, O_RDONLY | O_CLOEXEC);
  if (reader->file < 0) {
    fail_for(path, errno);
  }
  reader->file_begin = reader->lines;
  return true;
}

/* Fills the empty buffer. false: the file has ended, and is closed. */
static bool read_more(line_reader* reader) {
  ssize_t got;
  do {
    got = read(reader->file, reader->buffer, kBufferBytes);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    fail_for(reader->paths[reader->path_index], errno);
  }
  reader->begin = 0;
  reader->end = (size_t)got;
  if (got > 0) {
    return true;
  }
  close(reader->file);
  reader->file = -1;
  reader->path_index++;
  return false;
}

static void append_bytes(line_batch* batch, const uint8_t* bytes, size_t len) {
  if (len > batch->data_cap - batch->data_len) {
    uint64_t cap = batch->data_cap * 2 + kBufferBytes;
    batch->data_cap = cap < batch->data_len + len ? batch->data_len + len : cap;
    batch->data = grow_or_fail(batch->data, batch->data_cap);
  }
  memcpy(batch->data + batch->data_len, bytes, len);
  batch->data_len += len;
}

static void note_unended(line_reader* reader) {
  if (reader->unended_count == reader->unended_cap) {
    reader->unended_cap = reader->unended_cap * 2 + 16;
    reader->unended = grow_or_fail(reader->unended, reader->unended_cap * sizeof *reader->unended);
  }
  reader->unended[reader->unended_count++] = reader->lines;
}

/* Appends the bytes of the next line. false: there is none. */
static bool append_line(line_reader* reader, line_batch* batch) {
  const uint64_t line_begin = batch->data_len;
  for (bool started = false;; started = true) {
    while (reader->begin == reader->end) {
      if (reader->file < 0 && !open_next(reader)) {
        return false;
      }
      if (!read_more(reader) && started) {
        note_unended(reader);
        return true;
      }
    }
    const uint8_t* from = reader->buffer + reader->begin;
    const uint8_t* feed = memchr(from, '\n', reader->end - reader->begin);
    const size_t len = feed != NULL ? (size_t)(feed - from) : reader->end - reader->begin;
    append_bytes(batch, from, len);
    reader->begin += len;
    if (batch->data_len - line_begin > LINE_BYTES_MAX) {
      fail(kExitInput, "cannot take line %llu of %s: it is longer than 512 MiB, the largest record",
           (unsigned long long)(reader->lines - reader->file_begin + 1),
           reader->paths[reader->path_index]);
    }
    if (feed != NULL) {
      reader->begin++;
      return true;
    }
  }
}

bool line_reader_fill(line_reader* reader, size_t lines_max, uint64_t bytes_max,
                      line_batch* batch) {
  if (batch->data == NULL) { /* so that it is a place even where all lines are empty */
    batch->data_cap = kBufferBytes;
    batch->data = grow_or_fail(NULL, batch->data_cap);
  }
  if (batch->offsets_cap < lines_max + 1) {
    batch->offsets_cap = lines_max + 1;
    batch->offsets = grow_or_fail(batch->offsets, batch->offsets_cap * sizeof *batch->offsets);
  }
  batch->count = 0;
  batch->data_len = 0;
  batch->offsets[0] = 0;
  while (batch->count < lines_max && batch->data_len <= bytes_max &&
         reader->lines < reader->limit && append_line(reader, batch)) {
    batch->offsets[++batch->count] = batch->data_len;
    reader->lines++;
  }
  return batch->count > 0;
}
