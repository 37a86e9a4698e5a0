/* The closed vocabularies that are stored as small numbers and shown as words: dispositions,
 * reasons, failures, event names, platforms, sources. Each lives in a .def file. */
#ifndef TA_WORDS_H
#define TA_WORDS_H

#include <stdbool.h>

enum disposition {
#define DISP(name, word, final) DISP_##name,
#include "src/dispositions.def"
#undef DISP
	DISP_COUNT
};

enum reason {
#define REASON(name, word, text) REASON_##name,
#include "src/reasons.def"
#undef REASON
	REASON_COUNT
};

enum failure {
#define FAILURE(name, word, text) FAILURE_##name,
#include "src/failures.def"
#undef FAILURE
	FAILURE_COUNT
};

enum event_name {
#define EVENT(name, word) EV_##name,
#include "src/events.def"
#undef EVENT
	EV_COUNT
};

/* Where a receipt came from; stored, append only. */
enum source {
	SOURCE_SHOPIFY,
	SOURCE_SERVER,
	SOURCE_BROWSER,
	SOURCE_CUSTOM,
	SOURCE_META,
	SOURCE_CANARY, /* our own synthetic orders: db/canary.h */
	SOURCE_COUNT
};

/* Destination platforms; stored, append only. */
enum platform_id {
	PLATFORM_PINTEREST,
	PLATFORM_META,
	PLATFORM_TIKTOK,
	PLATFORM_SHEETS,
	PLATFORM_COUNT
};

/* Words are static; "?" for a number outside the vocabulary. */
const char *disposition_word(int v);
bool disposition_final(int v);
const char *reason_word(int v);
const char *reason_text(int v); /* the explanation, a half sentence */
const char *failure_word(int v);
const char *failure_text(int v);
const char *event_word(int v);
const char *source_word(int v);
const char *platform_word(int v);

/* The number of a word, -1 if unknown. */
int disposition_of(const char *word);
int reason_of(const char *word);
int failure_of(const char *word);
int event_of(const char *word);
int source_of(const char *word);
int platform_of(const char *word);

#endif
