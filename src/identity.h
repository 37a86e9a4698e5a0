/* Who somebody is: making what a shop or browser gives us uniform, and the form and SHA-256 in
 * which each platform takes it. Sources call the first half, destinations identity_form() and
 * identity_hash(). Nothing here guesses: what is not certain is absent. */
#ifndef TA_IDENTITY_H
#define TA_IDENTITY_H

#include "src/event.h"

struct arena;
struct buf;

/* --- from a source into struct event_user: strings in the arena, NULL = not usable ------------ */

/* Trimmed and lower case; NULL unless local@domain.tld without spaces, at most 254 bytes. A hash
 * (64 hex digits) passes in lower case when `hashes` says that the source may give some; so does
 * it below. */
const char *identity_email(struct arena *a, const char *text, bool hashes);
/* Digits with country calling code, no plus: 8 to 15 of them. Text may start with + or 00 (011
 * in North America); else it is a local number of `country` (ISO-2, may be NULL: then only
 * international ones are understood), whose trunk prefix is dropped. A letter makes it NULL. */
const char *identity_phone(struct arena *a, const char *text, const char *country, bool hashes);
/* ISO 3166-1 alpha-2 in upper case from a code, an alpha-3 code or name of the common ones in
 * English (or a few native names); NULL if unknown. Static. */
const char *identity_country(const char *text);
/* Code of a state of the USA or province of Canada by its English name ("Kentucky" -> "KY"), NULL
 * if unknown. Static. */
const char *identity_state(const char *country, const char *name);
/* Trimmed copy; NULL when nothing is left. */
const char *identity_text(struct arena *a, const char *text);
/* YYYYMMDD from 1990-01-31 or 19900131, NULL else; f, m or n from a word, NULL else. */
const char *identity_birthdate(struct arena *a, const char *text, bool hashes);
const char *identity_gender(struct arena *a, const char *text, bool hashes);
bool identity_is_hash(const char *text); /* exactly 64 hex digits */

/* --- to a platform ---------------------------------------------------------------------------- */

enum identity_key {
	ID_EMAIL,
	ID_PHONE,
	ID_EXTERNAL_ID,
	ID_FIRST_NAME,
	ID_LAST_NAME,
	ID_CITY,
	ID_STATE,
	ID_ZIP,
	ID_COUNTRY,
	ID_BIRTHDATE,
	ID_GENDER,
	ID_COUNT
};

/* Appends the text the platform wants hashed (TikTok's city, state and country: sent plain), as
 * CONTRACTS 1.2.1, 2.1 and 3.1 say. False, and nothing appended, when there is none, when it is
 * empty after normalising, when the platform has no such key, or when only a hash is known. */
TA_MUST bool identity_form(
	enum platform_id p, enum identity_key k, const struct event_user *u, struct buf *out);
/* Lower-case hex SHA-256 of that form; a value that is already a hash passes in lower case. False
 * as above (but a known hash is true); never the hash of an empty string, given or not. */
TA_MUST bool identity_hash(
	enum platform_id p, enum identity_key k, const struct event_user *u, char hex[65]);

#endif
