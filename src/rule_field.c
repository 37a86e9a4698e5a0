#include "src/rule_field.h"

#include "src/attr.h"
#include "src/words.h"

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

/* Levenshtein. */
int rule_word_distance(const char *a, const char *b)
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

static const char *one_of(const char *const *words, int i)
{
	int n = 0;
	while (words[n])
		n++;
	return i < n ? words[i] : NULL;
}

static const char *event_at(int i)
{
	return i < EV_COUNT ? event_word(i) : NULL;
}

static const char *source_at(int i)
{
	return i < SOURCE_COUNT ? source_word(i) : NULL;
}

static const char *platform_at(int i)
{
	return i < PLATFORM_COUNT ? platform_word(i) : NULL;
}

/* failed stands for two of them. */
static const char *state_at(int i)
{
	return i < DISP_COUNT ? disposition_word(i) : i == DISP_COUNT ? "failed" : NULL;
}

static const char *reason_at(int i)
{
	return i + 1 < REASON_COUNT ? reason_word(i + 1) : NULL; /* the first one is no reason */
}

static const char *consent_at(int i)
{
	static const char *const words[] = {"granted", "denied", "unknown", NULL};
	return one_of(words, i);
}

static const char *shop_at(int i)
{
	static const char *const words[] = {"shopify", "meta", "custom", NULL};
	return one_of(words, i);
}

static const char *rigour_at(int i)
{
	static const char *const words[] = {"optional", "required", NULL};
	return one_of(words, i);
}

static const char *moment_at(int i)
{
	static const char *const words[] = {"created", "paid", NULL};
	return one_of(words, i);
}

static const char *basis_at(int i)
{
	static const char *const words[] = {"total", "subtotal", "net", NULL};
	return one_of(words, i);
}

static const char *content_at(int i)
{
	static const char *const words[] = {"auto", "variant_id", "product_id", "sku", NULL};
	return one_of(words, i);
}

static const char *gender_at(int i)
{
	static const char *const words[] = {"f", "m", "n", NULL};
	return one_of(words, i);
}

static const struct {
	const char *field;
	const char *(*at)(int i);
} closed[] = {{"name", event_at}, {"event.name", event_at}, {"source", source_at},
	{"event.source", source_at}, {"consent", consent_at}, {"event.consent", consent_at},
	{"platform", platform_at}, {"pixel.platform", platform_at}, {"state", state_at},
	{"disposition", state_at}, {"reason", reason_at}, {"store.platform", shop_at},
	{"store.consent", rigour_at}, {"store.purchase_on", moment_at}, {"store.basis", basis_at},
	{"pixel.content_id", content_at}, {"user.gender", gender_at}};

const char *rule_field_word(int field, int i)
{
	const struct rule_field *f = rule_field_get(field);
	for (size_t k = 0; f && i >= 0 && k < TA_COUNT(closed); k++)
		if (strcmp(closed[k].field, f->name) == 0)
			return closed[k].at(i);
	return NULL;
}

const char *rule_field_nearest(const char *name)
{
	const char *best = NULL;
	int least = 3;
	for (size_t i = 0; i < TA_COUNT(fields); i++) {
		const char *tail = strchr(fields[i].name, '.');
		int d = rule_word_distance(name, fields[i].name);
		size_t n = strlen(name);
		bool group =
			n > 1 && strncmp(fields[i].name, name, n) == 0 && fields[i].name[n] == '.';
		if ((tail && strcmp(tail + 1, name) == 0) || group)
			d = 2;
		if (d < least) {
			least = d;
			best = fields[i].name;
		}
	}
	return best;
}
