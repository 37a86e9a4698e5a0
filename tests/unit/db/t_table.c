/* The editable tables' descriptions hold together; values are read by name. */
#include "db/table.h"

#include "src/arena.h"
#include "src/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Columns of a SELECT: commas outside parentheses and quotes, up to FROM. */
static size_t columns(const char *sql)
{
	size_t n = 1;
	int depth = 0;
	bool quoted = false;
	for (const char *p = sql; *p; p++) {
		if (*p == '\'')
			quoted = !quoted;
		if (quoted)
			continue;
		depth += (*p == '(') - (*p == ')');
		n += *p == ',' && depth == 0;
		if (depth == 0 && strncmp(p, " FROM ", 6) == 0)
			break;
	}
	return n;
}

static void check_field(const struct table *t, const struct ta_field *f)
{
	struct ta_err err = {0};
	struct buf b = BUF_INIT(100000);
	if (!f->title || !*f->title || !f->help || !*f->help)
		fail_msg("%s.%s has no title or no help", t->word, f->name);
	assert_int_equal(f->type == FIELD_CHOICE, f->choices != NULL);
	assert_int_equal(f->type == FIELD_REF, f->ref != NULL);
	if (f->ref)
		assert_non_null(table_get(f->ref));
	if (f->def && field_clean(f, f->def, &b, &err))
		fail_msg("%s.%s: the default is refused: %s", t->word, f->name, err.msg);
	if (f->def)
		assert_string_equal(buf_str(&b), f->def);
	buf_release(&b);
}

static void test_descriptions(void **state)
{
	(void)state;
	const struct table *t;
	for (size_t i = 0; (t = table_at(i)); i++) {
		assert_ptr_equal(table_get(t->word), t);
		assert_true(t->insert && t->remove && t->remove_word && t->find && t->title);
		assert_int_equal(columns(t->select), t->nfields + 2);
		for (size_t f = 0; f < t->nfields; f++) {
			check_field(t, &t->fields[f]);
			assert_int_equal(
				field_index(t->fields, t->nfields, t->fields[f].name), (int)f);
		}
	}
	assert_true(
		table_get("store") && table_get("pixel") && table_get("rule") && table_get("key"));
	assert_null(table_get("cook"));
}

static void test_json(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	const struct table *t = table_get("store");
	struct table_row row = {
		.id = 7, .version = 3, .v = arena_alloc(&a, t->nfields * sizeof(char *))};
	row.v[field_index(t->fields, t->nfields, "name")] = "Shop";
	row.v[field_index(t->fields, t->nfields, "send_pos")] = "true";
	row.v[field_index(t->fields, t->nfields, "webhook_secret")] = "set";
	row.v[field_index(t->fields, t->nfields, "created")] = "1763808000000000";
	json_t *j = table_json(t, &row);
	assert_string_equal(json_string_value(json_object_get(j, "id")), "7");
	assert_int_equal(json_integer_value(json_object_get(j, "version")), 3);
	assert_string_equal(json_string_value(json_object_get(j, "name")), "Shop");
	assert_true(json_is_true(json_object_get(j, "send_pos")));
	assert_string_equal(json_string_value(json_object_get(j, "webhook_secret")), "set");
	assert_string_equal(
		json_string_value(json_object_get(j, "created")), "2025-11-22T10:40:00Z");
	assert_true(json_is_null(json_object_get(j, "domain")));
	json_decref(j);
	arena_release(&a);
}

static void test_values(void **state)
{
	(void)state;
	const struct table *t = table_get("key");
	const char *v[8] = {NULL};
	struct table_change c = {.table = t, .v = v};
	v[field_index(t->fields, t->nfields, "scope")] = "track";
	v[field_index(t->fields, t->nfields, "store")] = "";
	assert_string_equal(table_value(&c, "scope"), "track");
	assert_null(table_value(&c, "store"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptions),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
