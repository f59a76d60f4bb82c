/*
 * See stage_kind.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/stage_kind.h"

static const char *const reserved_kinds[] = {
	"call", "email", "email_out", "email_in", "meeting", "demo", "message", "note", "task", "proposal", "lead",
	"created", "won", "lost", "reopened"
};

bool
am_is_reserved_kind(const char *kind, int length)
{
	for (int i = 0; i < (int) lengthof(reserved_kinds); i++)
		if (strncmp(kind, reserved_kinds[i], length) == 0 && reserved_kinds[i][length] == '\0')
			return true;
	return false;
}

/*
 * stage_kind(label text) returns text
 *
 * The label, with "stage " before it where it is a reserved kind: a stage that is labelled won would be a second win.
 */
PG_FUNCTION_INFO_V1(am_stage_kind);
Datum
am_stage_kind(PG_FUNCTION_ARGS)
{
	static const char prefix[] = "stage ";
	text	   *label = PG_GETARG_TEXT_PP(0);
	int			length = VARSIZE_ANY_EXHDR(label);
	text	   *kind;

	if (!am_is_reserved_kind(VARDATA_ANY(label), length))
		PG_RETURN_TEXT_P(label);
	kind = palloc(VARHDRSZ + strlen(prefix) + length);
	SET_VARSIZE(kind, VARHDRSZ + strlen(prefix) + length);
	memcpy(VARDATA(kind), prefix, strlen(prefix));
	memcpy(VARDATA(kind) + strlen(prefix), VARDATA_ANY(label), length);
	PG_RETURN_TEXT_P(kind);
}
