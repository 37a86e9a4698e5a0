/* One way to fail: functions that can fail return enum ta_rc and fill a struct ta_err once,
 * where the failure is detected, with a whole sentence: what, where, what to do. Callers may
 * only put context in front. On success the struct is untouched. A failed delivery is data
 * (a verdict), never an error. */
#ifndef TA_ERR_H
#define TA_ERR_H

#include "src/attr.h"

#include <stdbool.h>
#include <stddef.h>

enum ta_rc {
	TA_OK = 0,
#define ERR(name, exit, http) TA_##name,
#include "src/errors.def"
#undef ERR
	TA_RC_COUNT
};

struct ta_err {
	enum ta_rc rc;
	int os;           /* errno, 0 if none */
	char sqlstate[6]; /* of PostgreSQL, "" if none */
	char field[32];   /* the field at fault, for forms; "" if none */
	char msg[240];    /* one sentence, no secrets */
};

/* Sets err (may be NULL) and returns rc, so that `return ta_fail(err, TA_IO, "…", …);` is a line.
 */
enum ta_rc ta_fail(struct ta_err *err, enum ta_rc rc, const char *fmt, ...) TA_PRINTF(3, 4);
/* As ta_fail, with err->field set to `field`. */
enum ta_rc ta_fail_field(struct ta_err *err, const char *field, const char *fmt, ...)
	TA_PRINTF(3, 4);
/* As ta_fail with TA_IO, and ": strerror(errno)" behind the text; err->os = errno. */
enum ta_rc ta_fail_os(struct ta_err *err, const char *fmt, ...) TA_PRINTF(2, 3);
/* Puts "context: " in front of the message; keeps the code. Returns err->rc. */
enum ta_rc ta_err_prefix(struct ta_err *err, const char *fmt, ...) TA_PRINTF(2, 3);

int ta_rc_exit(enum ta_rc rc); /* process exit status; 0 for TA_OK */
int ta_rc_http(enum ta_rc rc);

/* Ends the process with a message on stderr: out of memory and broken invariants only. */
TA_NORETURN void ta_die(const char *fmt, ...) TA_PRINTF(1, 2);
/* Stays on in release builds. */
#define TA_ASSERT(c) ((c) ? (void)0 : ta_die("%s:%d: broken invariant: %s", __FILE__, __LINE__, #c))

/* Never fail: out of memory ends the process (nothing unstored was acknowledged). */
TA_MALLOC void *ta_alloc(size_t n); /* zeroed */
void *ta_realloc(void *p, size_t n);
TA_MALLOC char *ta_strdup(const char *s);
TA_MALLOC char *ta_asprintf(const char *fmt, ...) TA_PRINTF(1, 2);

#endif
