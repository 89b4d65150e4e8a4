/* What a run takes of the machine, by the kernel's books. */
#ifndef FOOTPRINT_H
#define FOOTPRINT_H

#include <stdint.h>

/* Bytes of the database at `path` and of the files that belong to it. */
uint64_t bytes_on_disk(const char* path);

/* The most memory that this process has had, from the kernel's books (VmHWM); 0: not known. */
uint64_t process_peak_bytes(void);

#endif
