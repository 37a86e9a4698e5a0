/* UTF-8, without a locale: strict decoding (RFC 3629), lower case, columns on a terminal, and
 * the one cleaner that every foreign string passes before it reaches a screen or a log. */
#ifndef TA_UTF8_H
#define TA_UTF8_H

#include "src/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

#define UTF8_REPLACEMENT 0xfffdu

/* Decodes the code point at p (n >= 1 bytes left). Returns its length 1..4, or 0 when the bytes
 * are not UTF-8 (overlong, surrogate, beyond U+10FFFF, cut short); then *cp is
 * UTF8_REPLACEMENT and one byte is to be skipped. */
size_t utf8_decode(const char *p, size_t n, uint32_t *cp);
/* Writes a code point; returns 1..4. Surrogates and values beyond U+10FFFF become
 * UTF8_REPLACEMENT. */
size_t utf8_encode(uint32_t cp, char out[4]);
TA_MUST bool utf8_valid(const char *p, size_t n);

/* Simple lower case mapping of one code point (Unicode 14). */
uint32_t utf8_lower_cp(uint32_t cp);
/* Appends p in lower case; invalid bytes become UTF8_REPLACEMENT. */
void utf8_lower(struct buf *b, const char *p, size_t n);

/* Columns of one code point: 0 for combining marks, 2 for wide East Asian and emoji, else 1. */
int utf8_cp_width(uint32_t cp);
/* Columns of a string that utf8_clean() made. */
size_t utf8_width(const char *p, size_t n);

/* Appends p with everything that could move a cursor, hide or reorder text made visible:
 * C0 and DEL become control pictures (U+2400..), C1, bidi controls, zero width and tag
 * characters, noncharacters, private use and invalid bytes become UTF8_REPLACEMENT; at most two
 * combining marks per base; variation selectors vanish; an emoji sequence (ZWJ, skin tone)
 * shows its first code point, a flag its letters. Cleaning twice changes nothing more. Stops before
 * `columns` would be exceeded. Returns the columns used. */
size_t utf8_clean(struct buf *b, const char *p, size_t n, size_t columns);

#endif
