/* The cleaner: from any bytes comes valid UTF-8 without anything that acts, within the columns, and
 * cleaning it again changes nothing. */
#include "src/buf.h"
#include "src/err.h"
#include "src/utf8.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t columns = size ? data[0] : 0;
	struct buf b = BUF_INIT(1u << 24), again = BUF_INIT(1u << 24);
	size_t used = utf8_clean(&b, (const char *)data, size, columns);
	const char *s = buf_str(&b);
	TA_ASSERT(used <= columns && used == utf8_width(s, b.len));
	TA_ASSERT(utf8_valid(s, b.len));
	for (size_t i = 0; i < b.len;) {
		uint32_t cp;
		i += utf8_decode(s + i, b.len - i, &cp);
		TA_ASSERT(cp >= 0x20 && (cp < 0x7f || cp > 0x9f));
		TA_ASSERT(cp < 0x200b || cp > 0x200f);
		TA_ASSERT(cp < 0x202a || cp > 0x202e);
		TA_ASSERT(cp < 0xe0000);
	}
	TA_ASSERT(utf8_clean(&again, s, b.len, columns) == used);
	TA_ASSERT(strcmp(buf_str(&again), s) == 0);
	buf_release(&b);
	buf_release(&again);
	return 0;
}
