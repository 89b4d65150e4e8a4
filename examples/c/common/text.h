/* Numbers as people read and write them. Each text_ function fills the caller's buffer and returns
 * it. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define TEXT_MAX 48

char* text_count(char text[TEXT_MAX], uint64_t count);     /* 3,000,000 */
char* text_bytes(char text[TEXT_MAX], uint64_t bytes);     /* 64.0 MiB */
char* text_seconds(char text[TEXT_MAX], uint64_t ns);      /* 1.234 s */
char* text_milliseconds(char text[TEXT_MAX], uint64_t ns); /* 0.250 ms */

/* "5000", "64K", "64M", "2G" (times 1024); false if it is nothing of that, or above INT64_MAX. */
bool text_parse_size(const char* text, uint64_t* size);

#endif
