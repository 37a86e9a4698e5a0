/* What the stand-ins of the platforms share: one call as it came in, the answer to it, and the
 * description of a JSON object with its check. The rules are read from the platforms' published
 * contracts, on purpose without a look at our own builders: two readings of one contract that
 * agree are worth more than one. */
#ifndef NET_SANDBOX_CHECK_H
#define NET_SANDBOX_CHECK_H

#include "src/buf.h"
#include "src/words.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault_set;

/* One request; everything is borrowed, an absent header or argument is NULL. */
struct sb_call {
	const char *method;
	const char *path; /* behind the platform's base path, starts with '/' */
	const char *content_type;
	const char *authorization; /* Pinterest */
	const char *access_token;  /* TikTok's header Access-Token */
	const char *query_token;   /* Meta's argument access_token */
	const char *query_test;    /* Pinterest's argument test */
	const char *query;         /* all arguments, "a=b&c=d" */
	const char *body;
	size_t len;
	int64_t now_s;
	const struct fault_set *faults; /* per-event faults asked for; NULL: none */
};

/* An event the platform took. Borrowed from the answer's `root`. */
struct sb_accepted {
	const char *name, *id;
	json_t *content;
};

#define SB_ACCOUNT_MAX 64
#define SB_BATCH_MAX   1000

struct sb_answer {
	int http;
	struct buf body;
	const char *type;             /* content type */
	char account[SB_ACCOUNT_MAX]; /* "" while unknown */
	bool test;                    /* test traffic, not to be counted as real */
	bool asks;                    /* sends no events: no fault hits it, no book counts it */
	int64_t reset_s;              /* X-RateLimit-Reset, 0: no such header */
	json_t *root;                 /* the body, parsed; owns what `ok` borrows */
	struct sb_accepted *ok;       /* owned */
	size_t n, nok;                /* events in the request, of these taken */
	size_t warned;                /* taken, but nobody should send it like that */
};

/* How a whole request can be turned away; each platform has words of its own for it. */
enum sb_refusal { SB_REFUSE_AUTH, SB_REFUSE_CONFIG, SB_REFUSE_RATE };

struct sb_platform {
	enum platform_id id;
	const char *word, *base, *env;
	/* Reads the call and writes the platform's answer; records nothing. */
	void (*handle)(const struct sb_call *c, struct sb_answer *a);
	/* Writes a refusal of the whole request, whatever it held. */
	void (*refuse)(struct sb_answer *a, enum sb_refusal r);
};

#define SANDBOX_ROWS 3
extern const struct sb_platform sandbox_platforms[SANDBOX_ROWS];
#define SANDBOX(name, PLATFORM, base, env)                                                         \
	void sandbox_##name##_handle(const struct sb_call *c, struct sb_answer *a);                \
	void sandbox_##name##_refuse(struct sb_answer *a, enum sb_refusal r);
#include "net/sandbox.def"
#undef SANDBOX

/* Refuses the request with a code that the platform is known to answer with; `at` is the place of
 * the event at fault. Known ones: the table in net/sandbox_code.c. */
bool sb_code_known(enum platform_id platform, int64_t code, int64_t subcode);
void sb_refuse_code(
	enum platform_id platform, int64_t code, int64_t subcode, size_t at, struct sb_answer *a);

void sb_answer_init(struct sb_answer *a);
void sb_answer_release(struct sb_answer *a);
/* Starts the body anew with a status. */
void sb_answer_start(struct sb_answer *a, int http);
/* Appends s as a JSON string with its quotes. */
void sb_json_string(struct buf *b, const char *s);
/* Takes event i: room for SB_BATCH_MAX is made on first use. */
void sb_accept(struct sb_answer *a, const char *name, json_t *event);
/* Parses the body: an object without repeated keys. NULL with a half sentence in why[160]. */
json_t *sb_parse(const struct sb_call *c, char why[160]);
/* Is the content type application/json? */
bool sb_is_json(const struct sb_call *c);
/* Sets the answer's account; false when it has other characters than any account can have. */
bool sb_set_account(struct sb_answer *a, const char *s, size_t n);
/* By convention of the sandbox: accounts "0" and "forbidden…" are nobody's. */
bool sb_account_forbidden(const char *account);
/* By convention: tokens "bad…" and "expired…" are not valid. */
bool sb_token_bad(const char *token);

/* --- objects ------------------------------------------------------------------------------ */

enum sb_type {
	SB_STR,      /* any string */
	SB_ID,       /* a string that is not empty */
	SB_STR_NULL, /* string or null */
	SB_INT,
	SB_NUM, /* not negative */
	SB_BOOL,
	SB_BOOL_NULL,
	SB_STRS,        /* array of strings that are not empty */
	SB_STR_OR_STRS, /* one or an array of them */
	SB_HASH,        /* 64 lower-case hex digits, not the hash of nothing */
	SB_HASHES,      /* array of at least one hash */
	SB_HASH_OR_HASHES,
	SB_META_HASH, /* hash or hashes, each with an optional ".appendix" */
	SB_DECIMAL,   /* a string with a decimal number: "72.39" */
	SB_CURRENCY,  /* ISO 4217, upper case */
	SB_IP,        /* address, v4 or v6, as text */
	SB_PLAIN,     /* lower-case text, not a hash */
	SB_LANGUAGE,  /* ISO 639-1 */
	SB_WORD,      /* one of `words` */
	SB_FBC,       /* fb.INDEX.MILLISECONDS.CLICK[.APPENDIX] */
	SB_FBP,       /* fb.INDEX.MILLISECONDS.DIGITS[.APPENDIX] */
	SB_OBJ,       /* object as `sub` */
	SB_OBJS,      /* array of objects as `sub` */
};

struct sb_field {
	const char *key;
	enum sb_type type;
	bool required;
	const char *const *words;  /* of SB_WORD, NULL at the end */
	const struct sb_spec *sub; /* of SB_OBJ and SB_OBJS */
};

struct sb_spec {
	const struct sb_field *fields;
	size_t n;
	bool open; /* unknown keys pass */
};

/* Kinds rise with weight: a later problem replaces an earlier lighter one. */
enum sb_kind { SB_FINE, SB_VALUE, SB_MISSING, SB_TYPE, SB_UNKNOWN };

struct sb_problem {
	enum sb_kind kind;
	enum sb_type type; /* of the field at fault */
	char path[96];     /* "custom_data.contents.0.id" */
	char key[48];      /* its last word */
	const char *text;  /* what is wanted, a half sentence */
};

/* Checks everything below o; p keeps the heaviest problem, SB_FINE if there is none. */
void sb_check(const json_t *o, const struct sb_spec *spec, struct sb_problem *p);
/* Reports a problem found by a rule of the platform (same weight rule). */
void sb_report(struct sb_problem *p, enum sb_kind kind, const char *path, const char *text);
/* "a string", "an integer", … */
const char *sb_type_name(enum sb_type t);

bool sb_in(const char *const *words, const char *s);
/* The string under key, NULL when absent or another type. */
const char *sb_get(const json_t *o, const char *key);
bool sb_has(const json_t *o, const char *key); /* present and not null */
bool sb_is_hash(const char *s, size_t n);
bool sb_is_ip(const char *s);
bool sb_is_currency(const char *s);
/* Has the decimal text at most as many decimals as the currency? */
bool sb_fits_currency(const char *decimal, const char *currency);

#endif
