/* A folder of its own for the store, in $TMPDIR or /var/tmp, gone when the program ends. */
#ifndef SCRATCH_H
#define SCRATCH_H

/* Makes the folder. The text is static, without a slash at its end. */
const char* scratch_make(void);

/* The folder stays when the program ends. */
void scratch_keep(void);

#endif
