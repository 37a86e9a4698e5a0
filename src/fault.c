#include "src/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A process that is started again would die at the same point for ever: each death takes a byte
 * from the file, and when it is empty nothing dies any more. */
static bool granted(const char *file)
{
	struct stat st;
	if (!file)
		return true;
	int fd = open(file, O_RDWR | O_CLOEXEC);
	bool yes = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 &&
		   ftruncate(fd, st.st_size - 1) == 0;
	if (fd >= 0)
		close(fd);
	return yes;
}

void fault_point(const char *name)
{
	static const char *armed, *file;
	static bool asked;
	static long left;
	if (!asked) {
		asked = true;
		armed = getenv("TRACKAI_FAULT");
		const char *colon = armed ? strchr(armed, ':') : NULL;
		left = colon ? strtol(colon + 1, NULL, 10) : 1;
		colon = colon ? strchr(colon + 1, ':') : NULL;
		file = colon ? colon + 1 : NULL;
	}
	if (!armed)
		return;
	size_t n = strcspn(armed, ":");
	if (strlen(name) == n && memcmp(armed, name, n) == 0 && --left == 0 && granted(file))
		kill(getpid(), SIGKILL);
}
