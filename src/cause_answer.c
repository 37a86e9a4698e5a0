/* From what platforms answered and from where deliveries stand to causes. */
#include "src/attr.h"
#include "src/cause.h"
#include "src/reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The words of src/replies.def. */
static const struct {
	const char *word;
	enum cause cause;
} words[] = {
	{"token", CAUSE_TOKEN_INVALID},
	{"token_expired", CAUSE_TOKEN_EXPIRED},
	{"token_reset", CAUSE_TOKEN_RESET},
	{"scope", CAUSE_TOKEN_SCOPE},
	{"permission", CAUSE_TOKEN_SCOPE},
	{"forbidden", CAUSE_WRONG_ACCOUNT},
	{"no_pixel", CAUSE_WRONG_ACCOUNT},
	{"no_permission", CAUSE_WRONG_ACCOUNT},
	{"no_sheet", CAUSE_WRONG_ACCOUNT},
	{"full", CAUSE_SETTINGS},
	{"throttled", CAUSE_THROTTLED},
	{"ramped_down", CAUSE_PLATFORM_DOWN},
	{"unavailable", CAUSE_PLATFORM_DOWN},
	{"internal", CAUSE_PLATFORM_DOWN},
	{"not_ready", CAUSE_PLATFORM_DOWN},
	{"blocked", CAUSE_PLATFORM_BLOCKED},
	{"too_old", CAUSE_TOO_OLD},
	{"bad_fbc", CAUSE_BAD_CLICK_ID},
	{"no_value", CAUSE_NO_VALUE},
	{"no_currency", CAUSE_NO_VALUE},
	{"no_match_key", CAUSE_NO_MATCH_KEY},
	{"partial", CAUSE_BAD_EVENT},
	{"bad_parameter", CAUSE_BAD_EVENT},
	{"invalid_request", CAUSE_BAD_EVENT},
	{"invalid_event", CAUSE_BAD_EVENT},
};

/* What a platform says in words rather than by its code; the first that fits. */
static const struct {
	const char *part;
	enum cause cause;
} phrases[] = {
	{"additional properties", CAUSE_UNKNOWN_PROPERTY},
	{"was unexpected", CAUSE_UNKNOWN_PROPERTY},
	{"not a valid string", CAUSE_WRONG_TYPE},
	{"is not of type", CAUSE_WRONG_TYPE},
	{"must be a string", CAUSE_WRONG_TYPE},
	{"must be a number", CAUSE_WRONG_TYPE},
	{"not a valid integer", CAUSE_WRONG_TYPE},
	{"timestamp is in the past", CAUSE_TOO_OLD},
	{"timestamp is in the future", CAUSE_CLOCK_AHEAD},
	{"event_time: is in the future", CAUSE_CLOCK_AHEAD},
	{"not in unix seconds", CAUSE_MILLISECONDS},
	{"in the future", CAUSE_CLOCK_AHEAD},
	{"user_data needs", CAUSE_NO_MATCH_KEY},
};

/* Where no answer came, what libcurl says; the first that fits. */
static const struct {
	const char *part;
	enum cause cause;
} network[] = {
	{"resolve", CAUSE_DNS},
	{"malformed", CAUSE_DNS},
	{"ssl", CAUSE_TLS},
	{"tls", CAUSE_TLS},
	{"certificate", CAUSE_TLS},
	{"wrong version number", CAUSE_TLS},
	{"connect", CAUSE_NO_CONNECTION},
	{"refused", CAUSE_NO_CONNECTION},
	{"unreachable", CAUSE_NO_CONNECTION},
};

static enum cause phrase(const char *text)
{
	for (size_t i = 0; i < TA_COUNT(phrases); i++)
		if (strcasestr(text, phrases[i].part))
			return phrases[i].cause;
	return CAUSE_NONE;
}

static enum cause unreached(const char *text, bool sent)
{
	for (size_t i = 0; !sent && i < TA_COUNT(network); i++)
		if (strcasestr(text, network[i].part))
			return network[i].cause;
	for (size_t i = 0; sent && i < TA_COUNT(network); i++)
		if (network[i].cause == CAUSE_TLS && strcasestr(text, network[i].part))
			return CAUSE_TLS;
	return sent ? CAUSE_NO_ANSWER : CAUSE_NO_CONNECTION;
}

static enum cause of_status(long http)
{
	if (http == 429)
		return CAUSE_THROTTLED;
	if (http >= 500 || http == 408 || http == 425)
		return CAUSE_PLATFORM_DOWN;
	if (http == 401)
		return CAUSE_TOKEN_INVALID;
	if (http == 403 || http == 404)
		return CAUSE_WRONG_ACCOUNT;
	return http >= 400 ? CAUSE_OTHER : CAUSE_PLATFORM_DOWN;
}

enum cause cause_of_reply(const struct reply *r)
{
	for (size_t i = 0; i < TA_COUNT(words); i++)
		if (strcmp(words[i].word, r->word) == 0)
			return words[i].cause;
	return CAUSE_OTHER;
}

/* The platform's own code says most; one that may mean anything is made clearer by its words. */
static enum cause of_code(enum platform_id platform, const char *code, const char *message)
{
	const struct reply *r = reply_find_text(platform, code);
	enum cause by_words = phrase(message);
	enum cause known = r ? cause_of_reply(r) : CAUSE_OTHER;
	if (known == CAUSE_BAD_EVENT && by_words != CAUSE_NONE)
		return by_words;
	if (known != CAUSE_OTHER)
		return known;
	if (strncmp(code, "http ", 5) == 0)
		return of_status(strtol(code + 5, NULL, 10));
	if (strcmp(code, "no_answer") == 0)
		return unreached(message, true);
	if (strcmp(code, "not_sent") == 0)
		return unreached(message, false);
	if (strcmp(code, "failed") == 0)
		return by_words == CAUSE_NONE ? CAUSE_BAD_EVENT : by_words;
	if (strcmp(code, "unclear") == 0)
		return CAUSE_PLATFORM_DOWN;
	return by_words == CAUSE_NONE ? CAUSE_OTHER : by_words;
}

static enum cause of_reason(const struct cause_delivery *d)
{
	switch (d->reason) {
	case REASON_TOO_OLD:
		return CAUSE_TOO_OLD;
	case REASON_NO_MATCH_KEY:
		return CAUSE_NO_MATCH_KEY;
	case REASON_NO_CURRENCY:
		return CAUSE_NO_VALUE;
	case REASON_BUILD: {
		enum cause c = phrase(d->message);
		return c == CAUSE_NONE ? CAUSE_OTHER : c;
	}
	case REASON_RULE:
	case REASON_RULE_HOLD:
	case REASON_SAMPLED:
		return CAUSE_RULE_DROPS;
	case REASON_TEST:
	case REASON_POS:
	case REASON_DRAFT:
		return CAUSE_TEST_ORDERS;
	case REASON_UNMAPPED:
		return CAUSE_UNMAPPED;
	case REASON_UNCONFIRMED:
	case REASON_WAIT_WEBHOOK:
		return CAUSE_UNCONFIRMED;
	case REASON_DENIED:
	case REASON_REQUIRED:
		return CAUSE_CONSENT;
	case REASON_EXPIRED:
		return CAUSE_EXPIRED;
	case REASON_OUTCOME_UNKNOWN:
		return CAUSE_OUTCOME_UNKNOWN;
	default:
		return CAUSE_NONE;
	}
}

enum cause cause_of_delivery(const struct cause_delivery *d)
{
	bool answered = d->code && *d->code;
	switch (d->disposition) {
	case DISP_DELIVERED:
	case DISP_DUPLICATE:
		return CAUSE_NONE;
	case DISP_DELIVERED_WARNING:
		return CAUSE_WARNINGS;
	case DISP_RETRYING:
	case DISP_REJECTED:
	case DISP_DEAD:
		if (answered)
			return of_code(d->platform, d->code, d->message);
		break;
	default:
		break;
	}
	return of_reason(d);
}

enum cause cause_of_pause(enum platform_id platform, const char *reason, const char *detail)
{
	char code[40];
	size_t n = strcspn(detail, ":");
	if (strcmp(reason, "operator") == 0 || strcmp(reason, "restored") == 0)
		return CAUSE_PAUSED;
	if (strcasestr(detail, "has no token"))
		return CAUSE_TOKEN_MISSING;
	if (n >= sizeof(code))
		n = 0;
	memcpy(code, detail, n);
	code[n] = '\0';
	enum cause c = of_code(platform, code, detail);
	if (c != CAUSE_OTHER && c != CAUSE_BAD_EVENT)
		return c;
	if (strcmp(reason, "auth") == 0)
		return CAUSE_TOKEN_INVALID;
	return n && (*code == 'h' || (*code >= '0' && *code <= '9')) ? CAUSE_WRONG_ACCOUNT
								     : CAUSE_SETTINGS;
}

enum cause cause_of_refusal(const char *reason)
{
	if (strncmp(reason, "item: ", 6) != 0)
		return CAUSE_WRONG_SECRET;
	if (strstr(reason, "milliseconds"))
		return CAUSE_MILLISECONDS;
	if (strstr(reason, "none of the known names"))
		return CAUSE_MISSPELT_EVENT;
	return CAUSE_REFUSED_ITEMS;
}
