#include "src/fault.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fault_point(const char *name)
{
	static const char *armed;
	static bool asked;
	static long left;
	if (!asked) {
		asked = true;
		armed = getenv("TRACKAI_FAULT");
		const char *colon = armed ? strchr(armed, ':') : NULL;
		left = colon ? strtol(colon + 1, NULL, 10) : 1;
	}
	if (!armed)
		return;
	size_t n = strcspn(armed, ":");
	if (strlen(name) == n && memcmp(armed, name, n) == 0 && --left == 0)
		kill(getpid(), SIGKILL);
}
