#include "src/item_id.h"

#include <string.h>

static const char *value_of(const struct event_item *it, const char *member)
{
	if (strcmp(member, "variant_id") == 0)
		return it->variant_id;
	if (strcmp(member, "product_id") == 0)
		return it->product_id;
	return strcmp(member, "sku") == 0 ? it->sku : it->id;
}

const char *item_id_member(const struct event_item *it, const char *setting)
{
	const char *member = setting ? setting : "auto";
	bool bare = !it->variant_id && !it->product_id && !it->sku;
	if (it->quantity <= 0)
		return NULL;
	if (bare || (strcmp(member, "variant_id") != 0 && strcmp(member, "product_id") != 0 &&
			    strcmp(member, "sku") != 0))
		member = "id";
	return value_of(it, member) ? member : NULL;
}

const char *item_id(
	const struct event_item *it, const char *setting, const struct name_map *content_ids)
{
	const char *member = item_id_member(it, setting);
	const char *own = member ? value_of(it, member) : NULL;
	const char *theirs = own && content_ids ? name_map_get(content_ids, own) : NULL;
	return !theirs ? own : *theirs ? theirs : NULL;
}
