/* Which id of an item goes to a pixel: by its setting content_id, in the catalogue's words where
 * the pixel names them. */
#ifndef TA_ITEM_ID_H
#define TA_ITEM_ID_H

#include "src/event.h"
#include "src/name_map.h"

/* The member of the item that the setting (auto, variant_id, product_id, sku; NULL is auto) takes:
 * "id", "variant_id", …; NULL when the item has none of that kind or nothing of it is left. A bare
 * given id (browser, API) serves every setting. */
const char *item_id_member(const struct event_item *it, const char *setting);
/* What is sent for it, NULL when it is left out. The map may be NULL. */
const char *item_id(
	const struct event_item *it, const char *setting, const struct name_map *content_ids);

#endif
