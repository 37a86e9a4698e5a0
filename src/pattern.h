/* Regular expressions with bounded time: POSIX extended syntax without back-references, matched
 * by simulating the automaton (Thompson, CACM 11(6), 1968), so that time is at most the product
 * of pattern and subject length whatever the pattern says. Knows . [] [^] [:class:] \d \w \s
 * * + ? {m,n} | () ^ $ and a leading (?i). Works on UTF-8 characters. */
#ifndef TA_PATTERN_H
#define TA_PATTERN_H

#include "src/err.h"

#include <stdbool.h>
#include <stddef.h>

#define PATTERN_MAX_LEN     512  /* bytes of a pattern */
#define PATTERN_MAX_STEPS   2000 /* states after {m,n} is written out */
#define PATTERN_MAX_SUBJECT 8192 /* bytes looked at */

struct arena;
struct pattern;

/* The pattern lives in the arena. Errors: TA_INVALID; *at (may be NULL) is the byte at fault. */
TA_MUST enum ta_rc pattern_compile(
	struct arena *a, const char *text, struct pattern **out, size_t *at, struct ta_err *err);
/* True when the pattern matches anywhere in the subject's first PATTERN_MAX_SUBJECT bytes. */
bool pattern_match(const struct pattern *p, struct arena *a, const char *subject, size_t len);

#endif
