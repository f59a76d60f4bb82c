/*
 * See status.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/status.h"

static bool
is_word(const char *at, int length, const char *word)
{
	if (length != (int) strlen(word))
		return false;
	for (int i = 0; i < length; i++)
	{
		char		c = at[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		else if (c == ' ' || c == '-')
			c = '_';
		if (c != word[i])
			return false;
	}
	return true;
}

/*
 * As done_condition() says it in SQL.  Its lower() follows the collation, but
 * no letter outside ASCII becomes one of these words' in any.
 */
bool
am_status_is_done(const char *status, int length)
{
	if (length == 4 && memcmp(status, "done", 4) == 0)
		return true;
	for (; length > 0 && *status == ' '; status++)
		length--;
	while (length > 0 && status[length - 1] == ' ')
		length--;
	return !is_word(status, length, "planned") && !is_word(status, length, "cancelled") &&
		!is_word(status, length, "canceled") && !is_word(status, length, "no_show");
}
