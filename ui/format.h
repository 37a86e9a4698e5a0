/* Numbers as people read them. Each writes into the given buffer, always terminated. */
#ifndef UI_FORMAT_H
#define UI_FORMAT_H

#include <stddef.h>
#include <stdint.h>

void format_count(int64_t n, char out[32]); /* 12,480 */
void format_span(int64_t us, char out[16]); /* 0.7s 12s 4m 3h 2d */
void format_ms(int64_t ms, char out[16]);   /* 0.4s 12s 3m; "-" below 0 */
/* Local time of day, with the date when it is not today's: 10:42:06, 11-21 10:42. */
void format_time(int64_t us, int64_t now_us, char out[16]);
/* The same, to the minute: 10:42, 11-21 10:42. */
void format_when(int64_t us, int64_t now_us, char out[32]);
/* "18,204 EUR" (whole: without the minor units) or "84.73"; the currency only when asked for. */
enum money_form { MONEY_FULL, MONEY_WHOLE, MONEY_BARE };
void format_money(int64_t minor, const char *currency, enum money_form form, char out[48]);
void format_tenths(int tenths, char out[16]); /* 992 -> "99.2%", below 0 "-" */

#endif
