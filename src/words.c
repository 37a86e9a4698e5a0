#include "src/words.h"

#include "src/attr.h"

#include <stddef.h>
#include <string.h>

static const char *const dispositions[] = {
#define DISP(name, word, final) word,
#include "src/dispositions.def"
#undef DISP
};

static const bool finals[] = {
#define DISP(name, word, final) final,
#include "src/dispositions.def"
#undef DISP
};

static const char *const reasons[] = {
#define REASON(name, word, text) word,
#include "src/reasons.def"
#undef REASON
};

static const char *const reason_texts[] = {
#define REASON(name, word, text) text,
#include "src/reasons.def"
#undef REASON
};

static const char *const failures[] = {
#define FAILURE(name, word, text) word,
#include "src/failures.def"
#undef FAILURE
};

static const char *const failure_texts[] = {
#define FAILURE(name, word, text) text,
#include "src/failures.def"
#undef FAILURE
};

static const char *const events[] = {
#define EVENT(name, word) word,
#include "src/events.def"
#undef EVENT
};

static const char *const sources[] = {"shopify", "server", "browser", "custom", "meta", "canary"};
static const char *const platforms[] = {"pinterest", "meta", "tiktok", "sheets"};

static const char *word_at(const char *const *words, size_t n, int v)
{
	return v >= 0 && (size_t)v < n ? words[v] : "?";
}

static int word_find(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

#define VOCABULARY(noun, table)                                                                    \
	const char *noun##_word(int v)                                                             \
	{                                                                                          \
		return word_at(table, TA_COUNT(table), v);                                         \
	}                                                                                          \
	int noun##_of(const char *word)                                                            \
	{                                                                                          \
		return word_find(table, TA_COUNT(table), word);                                    \
	}

VOCABULARY(disposition, dispositions)
VOCABULARY(reason, reasons)
VOCABULARY(failure, failures)
VOCABULARY(event, events)
VOCABULARY(source, sources)
VOCABULARY(platform, platforms)

bool disposition_final(int v)
{
	return v >= 0 && v < DISP_COUNT && finals[v];
}

const char *reason_text(int v)
{
	return word_at(reason_texts, TA_COUNT(reason_texts), v);
}

const char *failure_text(int v)
{
	return word_at(failure_texts, TA_COUNT(failure_texts), v);
}
