#include "src/rule_field.h"

#include "src/attr.h"
#include "src/logic.h"
#include "src/rule_node.h"

#include <stdbool.h>
#include <string.h>

static const struct rule_field fields[] = {
#define FIELD(name, kind, meaning) {name, meaning, KIND_##kind},
#include "src/rule_field.def"
#undef FIELD
};

int rule_field_of(const char *name)
{
	for (size_t i = 0; i < TA_COUNT(fields); i++) {
		size_t n = strlen(fields[i].name);
		bool any = fields[i].name[n - 1] == '*';
		if (strcmp(fields[i].name, name) == 0)
			return (int)i;
		if (any && strncmp(fields[i].name, name, n - 1) == 0 && name[n - 1])
			return (int)i;
	}
	return -1;
}

const struct rule_field *rule_field_get(int field)
{
	return field >= 0 && (size_t)field < TA_COUNT(fields) ? &fields[field] : NULL;
}

/* Levenshtein distance of short names; 99 when one is longer than 31 bytes. */
static int distance(const char *a, const char *b)
{
	int row[32];
	size_t na = strlen(a), nb = strlen(b);
	if (na > 31 || nb > 31)
		return 99;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= na; i++) {
		int diagonal = row[0];
		row[0] = (int)i;
		for (size_t j = 1; j <= nb; j++) {
			int change = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			row[j] = TA_MIN(change, TA_MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[nb];
}

const char *rule_field_nearest(const char *name)
{
	const char *best = NULL;
	int least = 3;
	for (size_t i = 0; i < TA_COUNT(fields); i++) {
		const char *tail = strchr(fields[i].name, '.');
		int d = distance(name, fields[i].name);
		if (tail && strcmp(tail + 1, name) == 0)
			d = 2;
		if (d < least) {
			least = d;
			best = fields[i].name;
		}
	}
	return best;
}

#define LEAST_MOMENT 1e8 /* Unix seconds: smaller numbers are durations */

/* `received > 2h` has no meaning, `received > -2h` has; so with `latency > -3s`. */
static enum ta_rc check_kind(const struct rule_node *n, size_t *at, struct ta_err *err)
{
	if (n->op < OP_EQ || n->op > OP_GT || n->kids[0]->op != OP_VAR)
		return TA_OK;
	const struct rule_field *f = rule_field_get(n->kids[0]->field);
	const struct rule_node *y = n->kids[1];
	bool span = y->op == OP_CONST && y->val.type == RULE_NUMBER && y->val.n < LEAST_MOMENT;
	if (at)
		*at = y->at;
	/* A word is never a moment: it would match nothing and say nothing. */
	if (f && f->kind == KIND_INSTANT &&
		(span || (y->op == OP_CONST && y->val.type == RULE_STRING)))
		return ta_fail(err, TA_INVALID,
			"%s is a moment: expected -2h (so long ago) or a date such as 2026-11-22",
			f->name);
	if (f && f->kind == KIND_DURATION && y->op == OP_AGO)
		return ta_fail(err, TA_INVALID, "%s is a duration: expected 3s or 250ms", f->name);
	return TA_OK;
}

static enum ta_rc check(const struct rule_node *n, size_t *at, struct ta_err *err)
{
	if (n->op == OP_VAR && n->field < 0) {
		const char *near = rule_field_nearest(n->path);
		if (at)
			*at = n->at;
		return ta_fail(err, TA_INVALID, "there is no field \"%.60s\"%s%s%s", n->path,
			near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	}
	enum ta_rc kind = check_kind(n, at, err);
	for (size_t i = 0; i < n->nkids && !kind; i++) {
		enum ta_rc rc = check(n->kids[i], at, err);
		if (rc)
			return rc;
	}
	return kind;
}

enum ta_rc rule_check_fields(const struct rule_prog *p, size_t *at, struct ta_err *err)
{
	if (p->full)
		return logic_check_fields(p->full, err);
	return p->root ? check(p->root, at, err) : TA_OK;
}
