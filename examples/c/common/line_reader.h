/* The lines of files as batches, packed the way spw_store_add wants them.
 *
 * A line ends before its line feed (LF), or at the end of the file. The LF is not part of it;
 * everything else is: a CR before the LF, NUL bytes, any bytes that are no text. "a\n" and "a" are
 * both the one line "a", so the reader notes which lines had no LF: with that list, the files can
 * be put together again byte by byte. An empty file has no line.
 */
#ifndef LINE_READER_H
#define LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES_MAX \
  (UINT64_C(512) << 20)       /* a longer line ends the program: no record holds it */
#define LINES_ONCE UINT64_MAX /* as a limit: every line of every file once */

/* Line i is data[offsets[i] .. offsets[i + 1]). Zeroed, it is empty. */
typedef struct line_batch {
  uint8_t* data;
  uint64_t data_len;
  uint64_t data_cap;
  uint64_t* offsets; /* count + 1 of them */
  size_t count;
  size_t offsets_cap;
} line_batch;

typedef struct line_reader {
  const char* const* paths; /* borrowed */
  size_t path_count;
  size_t path_index;    /* of the file being read, or of the next */
  uint64_t limit;       /* lines wanted, from as many rounds through the files as it takes */
  uint64_t lines;       /* lines handed out */
  uint64_t round_begin; /* lines handed out when this round through the files began */
  uint64_t file_begin;  /* and when this file began */
  int file;             /* descriptor; -1: none is open */
  uint8_t* buffer;      /* bytes read and not yet handed out: buffer[begin .. end) */
  size_t begin;
  size_t end;
  uint64_t* unended; /* the lines without LF, counted from 0, ascending */
  size_t unended_count;
  size_t unended_cap;
} line_reader;

/* Ends the program (kExitInput) if one of the files is missing, a folder or not readable. Returns
 * the bytes in all of them together, or UINT64_MAX if one is a pipe or a device. */
uint64_t line_reader_check(const char* const* paths, size_t count);

/* Starts at the first file. With a limit other than LINES_ONCE the files are read again and again.
 */
void line_reader_start(line_reader* reader, const char* const* paths, size_t count, uint64_t limit);

/* Replaces the batch by the next lines: at most lines_max, fewer as soon as they pass bytes_max.
 * false: there are none left. A read error ends the program (kExitInput). */
bool line_reader_fill(line_reader* reader, size_t lines_max, uint64_t bytes_max, line_batch* batch);

void line_reader_end(line_reader* reader);
void line_batch_free(line_batch* batch);

#endif
