/*
 * The few lines of the Test Anything Protocol that the unit tests need.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef TAP_H
#define TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int	tap_run = 0;
static int	tap_failed = 0;

static inline bool
ok(bool good, const char *format, ...)
{
	va_list		args;

	printf("%sok %d - ", good ? "" : "not ", ++tap_run);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	if (!good)
		tap_failed++;
	return good;
}

static inline void
skip(const char *what, const char *why)
{
	printf("ok %d - %s # skip %s\n", ++tap_run, what, why);
}

/* |got - want| <= atol + rtol * |want|; NaN equals NaN */
static inline bool
close_to(double got, double want, double rtol, double atol)
{
	if (isnan(got) || isnan(want))
		return isnan(got) && isnan(want);
	if (isinf(got) || isinf(want))
		return got == want;
	return fabs(got - want) <= atol + rtol * fabs(want);
}

static inline int
done_testing(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed ? 1 : 0;
}

/* where ../shared lies; NULL if it does not */
static inline const char *
shared_file(const char *relative)
{
	static char path[1024];
	const char *shared = getenv("SHARED");
	FILE	   *f;

	snprintf(path, sizeof(path), "%s/%s", shared ? shared : "../shared", relative);
	f = fopen(path, "r");
	if (!f)
		return NULL;
	fclose(f);
	return path;
}

#endif							/* TAP_H */
