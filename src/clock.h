/* Time, injectable. Wall time is microseconds since 1970 UTC; durations use the monotonic clock.
 * TRACKAI_CLOCK is an instant (RFC 3339) from which the wall clock starts, or @FILE, whose
 * content is such an instant: there time stands still between writes to the file. Nothing in
 * the program or in its SQL calls time() or now(). */
#ifndef TA_CLOCK_H
#define TA_CLOCK_H

#include "src/err.h"

#include <stdint.h>

#define US_PER_S   INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_S)

/* Reads TRACKAI_CLOCK (spec; NULL or "" is the real clock). Call once at start; children that
 * are forked afterwards share the offset. Errors: TA_CONFIG. */
TA_MUST enum ta_rc clock_init(const char *spec, struct ta_err *err);
/* The file named by @FILE, NULL if there is none: loops watch it with inotify to wake up. */
const char *clock_file(void);
int64_t clock_now_us(void); /* wall */
int64_t clock_now_s(void);
int64_t clock_mono_us(void); /* monotonic, for durations and deadlines inside one process */

/* RFC 3339 with offset or Z, fraction optional, date alone allowed (midnight UTC).
 * Returns false when malformed. */
TA_MUST bool clock_parse(const char *s, int64_t *us);
/* Writes 2026-11-22T10:40:00Z (with .ffffff when not whole seconds); out of >= 32 bytes. */
void clock_format(int64_t us, char out[32]);
/* T of the command line: RFC 3339, 10:31 or 10:31:05 (today, UTC), -2h, -30m, -7d, now, today,
 * yesterday, yesterday 22:00. */
TA_MUST enum ta_rc clock_parse_when(const char *s, int64_t *us, struct ta_err *err);
/* The same where the time of day is that of a zone so many seconds before UTC (the console's). */
TA_MUST enum ta_rc clock_parse_when_at(
	const char *s, int offset_s, int64_t *us, struct ta_err *err);

#endif
