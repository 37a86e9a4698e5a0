/* Files that commands are given. */
#ifndef TA_CMD_FILE_H
#define TA_CMD_FILE_H

#include "src/err.h"

#include <stddef.h>

struct buf;

/* Appends the whole of a file ("-": standard input), at most `max` bytes. What was read leaves no
 * copy on the stack: it may be a secret. Errors: TA_IO, TA_LIMIT. */
TA_MUST enum ta_rc cmd_read_file(const char *path, size_t max, struct buf *out, struct ta_err *err);

#endif
