/*
 * Reading comma-separated files of expected values.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* the fields of a line, which is cut up; returns how many */
static inline int
split(char *line, char **fields, int max)
{
	int			n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (n < max)
	{
		fields[n++] = line;
		line = strchr(line, ',');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

/* NaN where the field is empty */
static inline double
number(const char *field)
{
	return *field ? strtod(field, NULL) : NAN;
}

#endif							/* GOLDEN_H */
