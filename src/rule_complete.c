#include "src/rule_complete.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/rule_field.h"
#include "src/rule_node.h"

#include <string.h>
#include <strings.h>

#define DEPTH_MAX (2 * RULE_MAX_DEPTH)

/* Where the reader stands between two tokens. */
enum stand {
	AT_UNIT,     /* a condition begins */
	AT_OPERATOR, /* behind its left side */
	AT_WITH,     /* behind starts or ends */
	AT_VALUE,    /* behind an operator */
	AT_MEMBER,   /* behind [ or a comma */
	AT_COMMA,    /* behind a member */
	AT_JOIN      /* behind a whole condition */
};

/* The grammar of src/rule_parse.c, told as the way from token to token: a text under way has no
 * tree yet. */
struct reader {
	enum stand stand;
	int field;
	bool negated, whole; /* a "not" before the operator; `exists FIELD` needs no operator */
	bool amount;         /* the value was a number: a currency may follow */
	bool member_of;      /* the operator is `in` */
	bool compares;       /* it is one that goes with an amount and its currency */
	bool group;          /* the condition was one in parentheses: it may be a left side */
	bool call;           /* the left side is a function's name: its arguments follow */
	int depth;
	enum stand behind[DEPTH_MAX]; /* where one stands behind each open ( or [ */
};

static bool is(const struct token *t, const char *word)
{
	return t->kind == TOK_WORD && strcasecmp(t->text, word) == 0 && rule_keyword(t->text);
}

static int kind_of(int field)
{
	const struct rule_field *f = rule_field_get(field);
	return f ? (int)f->kind : -1;
}

static void begin_unit(struct reader *r)
{
	r->stand = AT_UNIT;
	r->field = -1;
	r->negated = r->whole = r->amount = r->member_of = r->compares = false;
	r->group = r->call = false;
}

static void open_group(struct reader *r, enum stand inside, enum stand behind)
{
	if (r->depth < DEPTH_MAX)
		r->behind[r->depth++] = behind;
	begin_unit(r);
	r->stand = inside;
}

static void close_group(struct reader *r, const struct token *t)
{
	int field = r->field;
	begin_unit(r);
	r->field = t->kind == TOK_UNLIST ? field : -1;
	r->stand = r->depth ? r->behind[--r->depth] : AT_JOIN;
	r->group = t->kind == TOK_CLOSE;
}

static void left_side(struct reader *r, const struct token *t)
{
	bool whole = r->whole;
	begin_unit(r);
	if (t->kind == TOK_WORD || t->kind == TOK_FIELD)
		r->field = rule_field_of(t->text);
	r->call = t->kind == TOK_WORD && r->field < 0 && rule_call_named(t->text) != NULL;
	r->stand = whole ? AT_JOIN : AT_OPERATOR;
}

static void at_unit(struct reader *r, const struct token *t)
{
	if (is(t, "exists"))
		r->whole = true;
	else if (t->kind == TOK_NOT || t->kind == TOK_BOOL || is(t, "not"))
		r->whole = false;
	else if (t->kind == TOK_OPEN)
		open_group(r, AT_UNIT, AT_JOIN);
	else if (t->kind == TOK_LIST)
		open_group(r, AT_MEMBER, r->whole ? AT_JOIN : AT_OPERATOR);
	else if (t->kind == TOK_CLOSE)
		close_group(r, t);
	else
		left_side(r, t);
}

static void at_operator(struct reader *r, const struct token *t);

static bool tests(const struct token *t)
{
	return t->kind == TOK_OP || is(t, "in") || is(t, "contains") || is(t, "matches") ||
	       is(t, "starts") || is(t, "ends");
}

/* A condition ends, or a new one begins behind a blank, which means and. */
static void at_join(struct reader *r, const struct token *t)
{
	/* A comma goes on to a function's next argument. */
	bool joins = t->kind == TOK_COMMA || t->kind == TOK_AND || t->kind == TOK_OR ||
		     is(t, "and") || is(t, "or");
	bool currency = r->amount && t->kind == TOK_WORD && strlen(t->text) == 3;
	r->amount = false;
	if (r->group && tests(t)) {
		at_operator(r, t);
	} else if (joins) {
		begin_unit(r);
	} else if (t->kind == TOK_CLOSE) {
		close_group(r, t);
	} else if (!currency) {
		begin_unit(r);
		at_unit(r, t);
	}
}

static void at_operator(struct reader *r, const struct token *t)
{
	if (r->call && t->kind == TOK_OPEN) {
		open_group(r, AT_UNIT, AT_OPERATOR);
	} else if (t->kind == TOK_OP || is(t, "contains") || is(t, "matches") || is(t, "in")) {
		r->member_of = is(t, "in");
		r->compares = t->kind == TOK_OP && t->op != OP_SEQ && t->op != OP_SNE;
		r->stand = AT_VALUE;
	} else if (is(t, "starts") || is(t, "ends")) {
		r->stand = AT_WITH;
	} else if (is(t, "exists")) {
		r->stand = AT_JOIN;
	} else if (is(t, "not") && !r->negated) {
		r->negated = true;
	} else if (r->negated) { /* that "not" began a condition of its own */
		begin_unit(r);
		at_unit(r, t);
	} else {
		at_join(r, t);
	}
}

/* A list keeps the field that its members are compared with. */
static void open_list(struct reader *r, enum stand behind)
{
	int field = r->field;
	bool negated = r->negated;
	open_group(r, AT_MEMBER, behind);
	r->field = field;
	r->negated = negated;
}

static void at_value(struct reader *r, const struct token *t)
{
	if (t->kind == TOK_LIST) {
		open_list(r, AT_JOIN);
	} else if (t->kind == TOK_OPEN) {
		open_group(r, AT_UNIT, AT_JOIN);
	} else {
		r->stand = AT_JOIN;
		r->amount = t->kind == TOK_NUMBER && r->compares && kind_of(r->field) == KIND_MONEY;
	}
}

static void in_list(struct reader *r, const struct token *t)
{
	bool member = r->stand == AT_MEMBER;
	if (t->kind == TOK_UNLIST)
		close_group(r, t);
	else if (member && t->kind == TOK_LIST)
		open_list(r, AT_COMMA);
	else if (member && t->kind == TOK_OPEN)
		open_group(r, AT_UNIT, AT_COMMA);
	else
		r->stand = member ? AT_COMMA : AT_MEMBER;
}

static void take(struct reader *r, const struct token *t)
{
	switch (r->stand) {
	case AT_UNIT:
		at_unit(r, t);
		return;
	case AT_OPERATOR:
		at_operator(r, t);
		return;
	case AT_WITH:
		r->stand = is(t, "with") ? AT_VALUE : AT_JOIN;
		return;
	case AT_VALUE:
		at_value(r, t);
		return;
	case AT_MEMBER:
	case AT_COMMA:
		in_list(r, t);
		return;
	case AT_JOIN:
		at_join(r, t);
		return;
	}
}

/* What may stand where the reader is; `prefix` says whether a word has begun. */
static unsigned wants(const struct reader *r, bool prefix)
{
	unsigned begins = RULE_WANT_FIELD | RULE_WANT_NOT;
	switch (r->stand) {
	case AT_UNIT:
		return r->whole ? RULE_WANT_FIELD : begins;
	case AT_OPERATOR:
		/* A yes or no may stand alone. */
		return RULE_WANT_OPERATOR |
		       (kind_of(r->field) == KIND_BOOL && !r->negated ? RULE_WANT_JOIN : 0u);
	case AT_WITH:
		return RULE_WANT_WITH;
	case AT_VALUE:
		return r->member_of ? RULE_WANT_LIST : RULE_WANT_VALUE;
	case AT_MEMBER:
		return RULE_WANT_VALUE;
	case AT_COMMA:
		return RULE_WANT_COMMA;
	case AT_JOIN:
		break;
	}
	return RULE_WANT_JOIN | (r->amount ? RULE_WANT_CURRENCY : 0u) | (prefix ? begins : 0u);
}

/* Tokens that a completed word may still become; what else touches the cursor is complete. */
static bool unfinished(const struct token *t, const struct reader *r)
{
	switch (t->kind) {
	case TOK_WORD:
	case TOK_FIELD:
	case TOK_NUMBER:
	case TOK_SPAN:
	case TOK_AGO:
	case TOK_INSTANT:
	case TOK_MONEY:
		return true;
	case TOK_STRING:
		return false;
	case TOK_NOT: /* perhaps != */
		return r->stand == AT_OPERATOR;
	case TOK_OP:
	case TOK_END:
	case TOK_BOOL:
	case TOK_AND:
	case TOK_OR:
	case TOK_OPEN:
	case TOK_CLOSE:
	case TOK_LIST:
	case TOK_UNLIST:
	case TOK_COMMA:
		break;
	}
	return false;
}

/* The rest of a word behind the cursor is replaced with it. */
static size_t word_end(const char *text, size_t at)
{
	while (rule_word_byte(text[at]))
		at++;
	return at;
}

/* A word of a field or in quotes: where it begins, and what it can be. */
static void touch(
	struct rule_place *out, const struct reader *r, const char *head, const struct token *t)
{
	out->from = t->at;
	out->wants = wants(r, true);
	if (t->kind == TOK_FIELD) {
		out->from++;
		out->wants = RULE_WANT_FIELD;
		if (head[out->from] == '"' || head[out->from] == '\'')
			out->wants = 0;
	}
}

/* The lexer stopped at `pos`: an open quote, or a sign that is half of one. */
static void broken(struct rule_place *out, const struct reader *r, const char *head, size_t pos)
{
	const char *s = head + pos;
	bool quote = *s == '"' || *s == '\'';
	out->from = pos;
	out->wants = 0;
	if (quote && !strchr(s, '\\')) {
		out->quote = *s;
		out->wants = wants(r, true) & RULE_WANT_VALUE;
	} else if (s[0] == '@' && !s[1]) {
		out->from++;
		out->wants = RULE_WANT_FIELD;
	} else if (s[0] && !s[1] && strchr("-+", *s)) {
		out->wants = wants(r, true) & RULE_WANT_VALUE;
	}
}

void rule_complete(const char *text, size_t at, struct rule_place *out)
{
	struct arena mem = ARENA_INIT;
	struct reader r = {.field = -1};
	*out = (struct rule_place){.from = at, .to = at, .field = -1};
	if (at > RULE_MAX_SIZE || text[strspn(text, " \t\r\n")] == '{')
		return;
	const char *head = arena_strndup(&mem, text, at);
	struct rule_lexer lx = {.a = &mem, .text = head};
	bool done = false;
	while (!done) {
		struct token t;
		size_t bad = 0;
		struct ta_err err = {0};
		size_t before = lx.pos + strspn(head + lx.pos, " \t\r\n");
		if (rule_lex(&lx, &t, &bad, &err)) {
			broken(out, &r, head, before);
			done = true;
		} else if (t.kind == TOK_END) {
			out->wants = wants(&r, false);
			done = true;
		} else if (lx.pos == at && unfinished(&t, &r)) {
			touch(out, &r, head, &t);
			done = true;
		} else {
			take(&r, &t);
		}
	}
	out->field = r.field;
	out->negated = r.negated;
	out->in_list = r.stand == AT_MEMBER;
	out->to = out->from < at ? word_end(text, at) : at;
	if (out->quote && text[out->to] == out->quote)
		out->to++;
	arena_release(&mem);
}

void rule_complete_value(struct buf *b, const char *value)
{
	struct arena mem = ARENA_INIT;
	struct rule_lexer lx = {.a = &mem, .text = value};
	struct token t = {0};
	size_t at = 0;
	struct ta_err err = {0};
	bool bare = rule_lex(&lx, &t, &at, &err) == TA_OK && t.kind == TOK_WORD &&
		    t.len == strlen(value) && !rule_keyword(value);
	if (bare)
		buf_adds(b, value);
	else
		rule_put_string(b, value);
	arena_release(&mem);
}
