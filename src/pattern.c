#include "src/pattern.h"

#include "src/arena.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define REPEAT_MAX 255
#define DEPTH_MAX  100

enum step_kind {
	STEP_CHAR,
	STEP_ANY,
	STEP_SET,
	STEP_SPLIT,
	STEP_JUMP,
	STEP_BEGIN,
	STEP_END,
	STEP_MATCH
};

struct range {
	uint32_t from, to;
};

struct set {
	bool negated;
	size_t n;
	struct range ranges[24];
};

struct step {
	enum step_kind kind;
	uint32_t c;
	int x, y; /* where to go on: SPLIT and JUMP */
	const struct set *set;
};

struct pattern {
	struct step *steps;
	int n;
	bool fold; /* (?i): ASCII letters match in either case */
};

/* A parsed pattern is written out straight into steps; `node` spans are [from, to) of them. */
struct compiler {
	struct arena *a;
	struct pattern *p;
	const char *text, *s;
	int depth;
	struct ta_err *err;
};

static uint32_t rune_next(const char **s, const char *end)
{
	const unsigned char *p = (const unsigned char *)*s;
	size_t left = (size_t)(end - *s), n = 1;
	uint32_t c = p[0];
	if (c >= 0xf0 && c < 0xf8)
		n = 4;
	else if (c >= 0xe0 && c < 0xf0)
		n = 3;
	else if (c >= 0xc0 && c < 0xe0)
		n = 2;
	if (n > 1 && n <= left) {
		c &= 0xffu >> (n + 1);
		for (size_t i = 1; i < n; i++) {
			if ((p[i] & 0xc0) != 0x80) {
				*s += 1;
				return p[0];
			}
			c = c << 6 | (p[i] & 0x3fu);
		}
	} else {
		n = 1;
	}
	*s += n;
	return c;
}

static enum ta_rc bad(struct compiler *c, const char *what)
{
	return ta_fail(c->err, TA_INVALID, "the pattern \"%.80s\" %s (at byte %zu of it)", c->text,
		what, (size_t)(c->s - c->text));
}

static enum ta_rc emit(struct compiler *c, struct step step, int *at)
{
	if (c->p->n >= PATTERN_MAX_STEPS)
		return bad(c, "is too large: repeat less");
	if (at)
		*at = c->p->n;
	c->p->steps[c->p->n++] = step;
	return TA_OK;
}

/* Moves the steps from `from` on one place up and puts `step` there; jumps inside move along. */
static enum ta_rc insert(struct compiler *c, int from, struct step step)
{
	struct step *s = c->p->steps;
	enum ta_rc rc = emit(c, (struct step){.kind = STEP_MATCH}, NULL);
	if (rc)
		return rc;
	memmove(s + from + 1, s + from, (size_t)(c->p->n - 1 - from) * sizeof(*s));
	s[from] = step;
	for (int i = from + 1; i < c->p->n; i++)
		if (s[i].kind == STEP_SPLIT || s[i].kind == STEP_JUMP) {
			s[i].x += s[i].x >= from;
			s[i].y += s[i].y >= from;
		}
	return TA_OK;
}

static enum ta_rc set_add(struct compiler *c, struct set *set, uint32_t from, uint32_t to)
{
	if (from > to)
		return bad(c, "has a range that runs backwards");
	if (set->n == TA_COUNT(set->ranges))
		return bad(c, "has more than 24 ranges in one [set]");
	set->ranges[set->n++] = (struct range){from, to};
	return TA_OK;
}

static enum ta_rc set_add_class(struct compiler *c, struct set *set, const char *spans)
{
	enum ta_rc rc = TA_OK;
	for (; *spans && !rc; spans += 2)
		rc = set_add(c, set, (unsigned char)spans[0], (unsigned char)spans[1]);
	return rc;
}

/* Pairs of first and last character. */
static const char *escape_class(char c)
{
	switch (c) {
	case 'd':
		return "09";
	case 'w':
		return "azAZ09__";
	case 's':
		return "  \t\r";
	default:
		return NULL;
	}
}

static const char *named_class(const char *s, size_t n)
{
	static const struct {
		const char *name, *spans;
	} classes[] = {{"alpha", "azAZ"}, {"digit", "09"}, {"alnum", "azAZ09"}, {"upper", "AZ"},
		{"lower", "az"}, {"space", "  \t\r"}, {"xdigit", "09afAF"}, {"punct", "!/:@[`{~"}};
	for (size_t i = 0; i < TA_COUNT(classes); i++)
		if (strlen(classes[i].name) == n && memcmp(classes[i].name, s, n) == 0)
			return classes[i].spans;
	return NULL;
}

static enum ta_rc set_item(struct compiler *c, struct set *set, const char *end)
{
	if (c->s[0] == '[' && c->s[1] == ':') {
		const char *close = strstr(c->s + 2, ":]");
		const char *spans =
			close ? named_class(c->s + 2, (size_t)(close - c->s - 2)) : NULL;
		if (!spans)
			return bad(c, "names a [:class:] that is not known");
		c->s = close + 2;
		return set_add_class(c, set, spans);
	}
	if (c->s[0] == '\\' && c->s[1]) {
		const char *spans = escape_class(c->s[1]);
		if (spans) {
			c->s += 2;
			return set_add_class(c, set, spans);
		}
		c->s++;
	}
	uint32_t from = rune_next(&c->s, end), to = from;
	if (c->s[0] == '-' && c->s[1] && c->s[1] != ']') {
		c->s++;
		if (c->s[0] == '\\' && c->s[1])
			c->s++;
		to = rune_next(&c->s, end);
	}
	return set_add(c, set, from, to);
}

static enum ta_rc bracket(struct compiler *c, const char *end)
{
	struct set *set = arena_alloc(c->a, sizeof(*set));
	bool first = true;
	c->s++;
	if (*c->s == '^') {
		set->negated = true;
		c->s++;
	}
	while (*c->s && (first || *c->s != ']')) {
		enum ta_rc rc = set_item(c, set, end);
		if (rc)
			return rc;
		first = false;
	}
	if (*c->s != ']')
		return bad(c, "has a [ without its ]");
	c->s++;
	return emit(c, (struct step){.kind = STEP_SET, .set = set}, NULL);
}

static enum ta_rc alternatives(struct compiler *c);

static enum ta_rc escape(struct compiler *c, const char *end)
{
	c->s++;
	if (!*c->s)
		return bad(c, "ends in a lone backslash");
	const char *spans = escape_class((char)tolower((unsigned char)*c->s));
	if (spans) {
		struct set *set = arena_alloc(c->a, sizeof(*set));
		set->negated = isupper((unsigned char)*c->s) != 0;
		c->s++;
		enum ta_rc rc = set_add_class(c, set, spans);
		return rc ? rc : emit(c, (struct step){.kind = STEP_SET, .set = set}, NULL);
	}
	if (isalnum((unsigned char)*c->s))
		return bad(c, "has an unknown escape (\\d \\w \\s are known)");
	return emit(c, (struct step){.kind = STEP_CHAR, .c = rune_next(&c->s, end)}, NULL);
}

static enum ta_rc group(struct compiler *c)
{
	if (c->s[1] == '?')
		return bad(c, "has a (?...) that is not known; only a leading (?i) is");
	c->s++;
	if (++c->depth > DEPTH_MAX)
		return bad(c, "is nested too deep");
	enum ta_rc rc = alternatives(c);
	if (rc)
		return rc;
	if (*c->s != ')')
		return bad(c, "has a ( without its )");
	c->depth--;
	c->s++;
	return TA_OK;
}

static enum ta_rc atom(struct compiler *c, const char *end)
{
	switch (*c->s) {
	case '(':
		return group(c);
	case '[':
		return bracket(c, end);
	case '\\':
		return escape(c, end);
	case '.':
		c->s++;
		return emit(c, (struct step){.kind = STEP_ANY}, NULL);
	case '^':
		c->s++;
		return emit(c, (struct step){.kind = STEP_BEGIN}, NULL);
	case '$':
		c->s++;
		return emit(c, (struct step){.kind = STEP_END}, NULL);
	case '*':
	case '+':
	case '?':
	case '{':
		return bad(c, "repeats nothing");
	default:
		return emit(c, (struct step){.kind = STEP_CHAR, .c = rune_next(&c->s, end)}, NULL);
	}
}

/* Appends a copy of the steps [from, to); jumps inside go along. */
static enum ta_rc copy(struct compiler *c, int from, int to)
{
	int shift = c->p->n - from;
	for (int i = from; i < to; i++) {
		struct step s = c->p->steps[i];
		if (s.kind == STEP_SPLIT || s.kind == STEP_JUMP) {
			s.x += shift;
			s.y += shift;
		}
		enum ta_rc rc = emit(c, s, NULL);
		if (rc)
			return rc;
	}
	return TA_OK;
}

static enum ta_rc star(struct compiler *c, int from, bool once)
{
	enum ta_rc rc = TA_OK;
	if (once)
		return emit(
			c, (struct step){.kind = STEP_SPLIT, .x = from, .y = c->p->n + 1}, NULL);
	rc = insert(c, from, (struct step){.kind = STEP_SPLIT});
	if (!rc)
		rc = emit(c, (struct step){.kind = STEP_JUMP, .x = from, .y = from}, NULL);
	if (!rc) {
		c->p->steps[from].x = from + 1;
		c->p->steps[from].y = c->p->n;
	}
	return rc;
}

static enum ta_rc maybe(struct compiler *c, int from)
{
	enum ta_rc rc = insert(c, from, (struct step){.kind = STEP_SPLIT});
	if (!rc) {
		c->p->steps[from].x = from + 1;
		c->p->steps[from].y = c->p->n;
	}
	return rc;
}

static bool bound(struct compiler *c, int *out)
{
	int n = 0;
	const char *from = c->s;
	while (isdigit((unsigned char)*c->s) && n <= REPEAT_MAX)
		n = n * 10 + (*c->s++ - '0');
	*out = n;
	return c->s > from && n <= REPEAT_MAX;
}

/* Reads {m}, {m,} (open) or {m,n}. */
static enum ta_rc bounds(struct compiler *c, int *m, int *n, bool *open)
{
	c->s++;
	if (!bound(c, m))
		return bad(c, "has a {m,n} that is not two numbers up to 255");
	*n = *m;
	if (*c->s == ',') {
		c->s++;
		*open = *c->s == '}';
		if (!*open && (!bound(c, n) || *n < *m))
			return bad(c, "has a {m,n} that is not two numbers up to 255");
	}
	if (*c->s != '}')
		return bad(c, "has a { without its }");
	c->s++;
	return TA_OK;
}

/* A count is written out: m copies, then a star or n - m optional copies. */
static enum ta_rc counted(struct compiler *c, int from)
{
	int m = 0, n = 0, to = c->p->n;
	bool open = false;
	enum ta_rc rc = bounds(c, &m, &n, &open);
	if (rc)
		return rc;
	for (int i = 1; i < m && !rc; i++)
		rc = copy(c, from, to);
	if (!rc && open && m == 0)
		return star(c, from, false);
	if (!rc && open)
		return star(c, c->p->n - (to - from), true);
	if (!rc && m == 0 && n == 0) {
		c->p->n = from;
		return TA_OK;
	}
	if (!rc && m == 0) {
		rc = maybe(c, from);
		m = 1;
		from++;
		to++;
	}
	for (int i = m; i < n && !rc; i++) {
		int start = c->p->n;
		rc = copy(c, from, to);
		if (!rc)
			rc = maybe(c, start);
	}
	return rc;
}

static enum ta_rc repeated(struct compiler *c, const char *end)
{
	int from = c->p->n;
	enum ta_rc rc = atom(c, end);
	while (!rc && *c->s && strchr("*+?{", *c->s)) {
		char op = *c->s;
		if (op == '{') {
			rc = counted(c, from);
			continue;
		}
		c->s++;
		rc = op == '?' ? maybe(c, from) : star(c, from, op == '+');
	}
	return rc;
}

static enum ta_rc alternatives(struct compiler *c)
{
	const char *end = c->text + strlen(c->text);
	int from = c->p->n;
	enum ta_rc rc = TA_OK;
	while (!rc && *c->s && *c->s != ')' && *c->s != '|')
		rc = repeated(c, end);
	if (rc || *c->s != '|')
		return rc;
	c->s++;
	int jump = 0;
	rc = insert(c, from, (struct step){.kind = STEP_SPLIT});
	if (!rc)
		rc = emit(c, (struct step){.kind = STEP_JUMP}, &jump);
	if (rc)
		return rc;
	c->p->steps[from].x = from + 1;
	c->p->steps[from].y = c->p->n;
	if (++c->depth > DEPTH_MAX)
		return bad(c, "has too many alternatives");
	rc = alternatives(c);
	c->depth--;
	c->p->steps[jump].x = c->p->steps[jump].y = c->p->n;
	return rc;
}

enum ta_rc pattern_compile(
	struct arena *a, const char *text, struct pattern **out, size_t *at, struct ta_err *err)
{
	struct compiler c = {.a = a, .text = text, .s = text, .err = err};
	if (at)
		*at = 0;
	if (strlen(text) > PATTERN_MAX_LEN)
		return ta_fail(err, TA_INVALID, "the pattern has %zu bytes; %d are allowed",
			strlen(text), PATTERN_MAX_LEN);
	struct arena tmp = ARENA_INIT;
	struct pattern p = {.steps = arena_alloc(&tmp, PATTERN_MAX_STEPS * sizeof(*p.steps))};
	c.p = &p;
	if (strncmp(text, "(?i)", 4) == 0) {
		p.fold = true;
		c.s += 4;
	}
	enum ta_rc rc = alternatives(&c);
	if (!rc && *c.s == ')')
		rc = bad(&c, "has a ) without its (");
	if (!rc)
		rc = emit(&c, (struct step){.kind = STEP_MATCH}, NULL);
	if (!rc) {
		*out = arena_alloc(a, sizeof(p));
		**out = p;
		(*out)->steps = arena_alloc(a, (size_t)p.n * sizeof(*p.steps));
		memcpy((*out)->steps, p.steps, (size_t)p.n * sizeof(*p.steps));
	} else if (at) {
		*at = (size_t)(c.s - text);
	}
	arena_release(&tmp);
	return rc;
}

static uint32_t lower(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool in_set(const struct set *set, uint32_t c, bool fold)
{
	bool hit = false;
	for (size_t i = 0; i < set->n && !hit; i++) {
		const struct range *r = &set->ranges[i];
		hit = c >= r->from && c <= r->to;
		if (!hit && fold && c < 128 && isalpha((int)c))
			hit = (c ^ 32u) >= r->from && (c ^ 32u) <= r->to;
	}
	return hit != set->negated;
}

/* The states alive before one character: a list and a mark per state. */
struct alive {
	int *list, n;
	unsigned *mark, round;
	int *stack;
};

static void reach(const struct pattern *p, struct alive *to, int at, bool begin, bool end)
{
	int n = 0;
	to->stack[n++] = at;
	while (n > 0) {
		int i = to->stack[--n];
		if (to->mark[i] == to->round)
			continue;
		to->mark[i] = to->round;
		const struct step *s = &p->steps[i];
		if (s->kind == STEP_SPLIT || s->kind == STEP_JUMP) {
			to->stack[n++] = s->x;
			if (s->y != s->x)
				to->stack[n++] = s->y;
		} else if ((s->kind == STEP_BEGIN && begin) || (s->kind == STEP_END && end)) {
			to->stack[n++] = i + 1;
		} else {
			to->list[to->n++] = i;
		}
	}
}

static bool takes(const struct pattern *p, const struct step *s, uint32_t c)
{
	switch (s->kind) {
	case STEP_ANY:
		return true;
	case STEP_CHAR:
		return s->c == c || (p->fold && lower(s->c) == lower(c));
	case STEP_SET:
		return in_set(s->set, c, p->fold);
	case STEP_SPLIT:
	case STEP_JUMP:
	case STEP_BEGIN:
	case STEP_END:
	case STEP_MATCH:
		break;
	}
	return false;
}

static struct alive alive_new(struct arena *a, int n)
{
	size_t size = (size_t)n;
	return (struct alive){.list = arena_alloc(a, size * sizeof(int)),
		.mark = arena_alloc(a, size * sizeof(unsigned)),
		.stack = arena_alloc(a, (2 * size + 2) * sizeof(int))};
}

bool pattern_match(const struct pattern *p, struct arena *a, const char *subject, size_t len)
{
	struct alive now = alive_new(a, p->n), next = alive_new(a, p->n);
	const char *s = subject, *end = subject + TA_MIN(len, (size_t)PATTERN_MAX_SUBJECT);
	now.round = next.round = 1;
	bool anchored = p->steps[0].kind == STEP_BEGIN;
	for (;;) {
		if (anchored && s != subject && now.n == 0)
			return false;
		reach(p, &now, 0, s == subject, s == end);
		for (int i = 0; i < now.n; i++)
			if (p->steps[now.list[i]].kind == STEP_MATCH)
				return true;
		if (s == end)
			return false;
		uint32_t c = rune_next(&s, end);
		next.n = 0;
		next.round++;
		for (int i = 0; i < now.n; i++)
			if (takes(p, &p->steps[now.list[i]], c))
				reach(p, &next, now.list[i] + 1, false, s == end);
		struct alive swap = now;
		now = next;
		next = swap;
	}
}
