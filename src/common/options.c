/*
 * See options.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/options.h"

#include <ctype.h>
#include <math.h>

#include "lib/stringinfo.h"

void
am_options_start(AmOptionReader *reader, const char *text)
{
	reader->at = text ? text : "";
	reader->part = NULL;
}

static const char *
skip_blanks(const char *at)
{
	while (isspace((unsigned char) *at))
		at++;
	return at;
}

bool
am_options_next(AmOptionReader *reader)
{
	StringInfoData part;
	bool		quoted = false;

	reader->at = skip_blanks(reader->at);
	if (*reader->at == '\0')
		return false;
	initStringInfo(&part);
	for (; *reader->at && (quoted || *reader->at != ','); reader->at++)
	{
		char		c = *reader->at;

		if (c == '\'')
			quoted = !quoted;
		if (!quoted && isspace((unsigned char) c))
		{
			if (part.len > 0 && part.data[part.len - 1] != ' ')
				appendStringInfoChar(&part, ' ');
		}
		else
			appendStringInfoChar(&part, c);
	}
	if (*reader->at == ',')
		reader->at++;
	while (part.len > 0 && part.data[part.len - 1] == ' ')
		part.data[--part.len] = '\0';
	reader->part = part.data;
	if (quoted)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" has a quote that is not closed", reader->part)));
	return true;
}

/* A name in single quotes, '' for a quote; NULL if there is none */
static char *
read_name(const char **at)
{
	StringInfoData name;

	if (**at != '\'')
		return NULL;
	initStringInfo(&name);
	for ((*at)++; **at; (*at)++)
	{
		if (**at == '\'')
		{
			if ((*at)[1] != '\'')
			{
				(*at)++;
				return name.data;
			}
			(*at)++;
		}
		appendStringInfoChar(&name, **at);
	}
	return NULL;
}

bool
am_option_is(const AmOptionReader *reader, const char *form,...)
{
	const char *at = reader->part;
	va_list		values;
	bool		good = true;

	va_start(values, form);
	for (; *form && good; form++)
	{
		char	   *end;

		switch (*form)
		{
			case '#':
				{
					int64	   *integer = va_arg(values, int64 *);

					errno = 0;
					*integer = strtoll(at, &end, 10);
					good = end != at && errno == 0;
					at = end;
					break;
				}
			case '%':
				{
					double	   *number = va_arg(values, double *);

					*number = strtod(at, &end);
					good = end != at && isfinite(*number);
					at = end;
					break;
				}
			case '@':
				{
					char	  **name = va_arg(values, char **);

					*name = read_name(&at);
					good = *name != NULL;
					break;
				}
			default:
				good = *at == *form;
				if (good)
					at++;
		}
	}
	va_end(values);
	return good && *at == '\0';
}

void
am_option_unknown(const AmOptionReader *reader, const char *known)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%s\"", reader->part),
			 errhint("Options, separated by commas: %s.", known)));
}
