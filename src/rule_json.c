#include "src/rule_json.h"

#include "src/arena.h"
#include "src/logic.h"

#include <stdlib.h>
#include <string.h>

static bool put(const json_t *j, struct arena *a, struct rule_value *out)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		/* As JavaScript shows an object in a text: true, and equal to nothing useful. */
		*out = (struct rule_value){.type = RULE_STRING, .s = "[object Object]"};
		break;
	case JSON_ARRAY: {
		size_t n = json_array_size(j);
		struct rule_value *list = arena_alloc(a, n * sizeof(*list));
		for (size_t i = 0; i < n; i++)
			put(json_array_get(j, i), a, &list[i]);
		*out = (struct rule_value){.type = RULE_LIST, .list = list, .nlist = n};
		break;
	}
	case JSON_STRING:
		*out = (struct rule_value){.type = RULE_STRING, .s = json_string_value(j)};
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		*out = (struct rule_value){.type = RULE_NUMBER, .n = json_number_value(j)};
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		*out = (struct rule_value){.type = RULE_BOOL, .b = json_is_true(j)};
		break;
	case JSON_NULL:
		*out = (struct rule_value){.type = RULE_NULL};
		break;
	}
	return true;
}

static const json_t *step(const json_t *j, const char *key, size_t n)
{
	if (json_is_object(j))
		return json_object_getn(j, key, n);
	if (json_is_array(j) && n > 0 && strspn(key, "0123456789") >= n)
		return json_array_get(j, strtoul(key, NULL, 10));
	return NULL;
}

static bool get_each(const json_t *list, const char *path, struct arena *a, struct rule_value *out);

/* Of a list, items.price means the price of each element, as it does of an event. */
static bool get(const void *data, const char *path, struct arena *a, struct rule_value *out)
{
	const json_t *j = data;
	while (j && *path) {
		size_t n = strcspn(path, ".");
		if (json_is_array(j) && strspn(path, "0123456789") < n)
			return get_each(j, path, a, out);
		j = step(j, path, n);
		path += n + (path[n] == '.');
	}
	return j && put(j, a, out);
}

static bool get_each(const json_t *list, const char *path, struct arena *a, struct rule_value *out)
{
	size_t n = json_array_size(list), found = 0;
	struct rule_value *values = arena_alloc(a, n * sizeof(*values));
	for (size_t i = 0; i < n; i++)
		found += get(json_array_get(list, i), path, a, &values[found]);
	*out = (struct rule_value){.type = RULE_LIST, .list = values, .nlist = found};
	return found > 0;
}

/* The member that a path begins with; "" is all of it. */
static bool get_whole(const void *data, const char *path, struct arena *a, struct logic_value *out)
{
	struct ta_err err = {0};
	size_t n = strcspn(path, ".");
	const json_t *j = *path ? step(data, path, n) : data;
	json_t *found = NULL;
	memcpy(&found, &j, sizeof(j)); /* jansson's readers take no const */
	return found && logic_value_of(a, found, out, &err) == TA_OK;
}

struct rule_source rule_source_json(const json_t *j)
{
	return (struct rule_source){.get = get, .get_whole = get_whole, .data = j};
}
