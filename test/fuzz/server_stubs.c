/*
 * See server_stubs.h.
 *
 * These behave as the server's functions of the same names do, but that a
 * StringInfo has no room to spare: reading beyond its end is seen.  There are
 * no files: one that is asked for does not exist.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "server_stubs.h"

#include <setjmp.h>
#include <signal.h>

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

/* the C library's own from here on */
#undef printf
#undef fprintf
#undef snprintf
#undef vsnprintf
#undef vfprintf
#undef qsort

int			work_mem = 4096;
double		hash_mem_multiplier = 1;
volatile sig_atomic_t InterruptPending = 0;

/*
 * Memory
 */
typedef struct Chunk
{
	struct Chunk *next;
	struct Chunk *prev;
	size_t		size;
	MemoryContext context;
} Chunk;

/* contexts are told apart by their addresses */
static char contexts[2];
MemoryContext stub_aggregate_context = (MemoryContext) &contexts[0];
MemoryContext stub_row_context = (MemoryContext) &contexts[1];
MemoryContext CurrentMemoryContext = (MemoryContext) &contexts[0];

static Chunk chunks = {&chunks, &chunks, 0, NULL};
static size_t in_use = 0;
size_t		stub_memory_limit = SIZE_MAX;

static void
count(size_t size)
{
	if (size > stub_memory_limit || in_use > stub_memory_limit - size)
	{
		fprintf(stderr, "%zu bytes, where %zu are in use\n", size, in_use);
		stub_show();
		abort();
	}
	in_use += size;
}

static void
link_chunk(Chunk *chunk, size_t size, MemoryContext context)
{
	chunk->size = size;
	chunk->context = context;
	chunk->next = chunks.next;
	chunk->prev = &chunks;
	chunk->next->prev = chunk->prev->next = chunk;
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	Chunk	   *chunk;

	REQUIRE(context == stub_aggregate_context || context == stub_row_context);
	count(size);
	chunk = malloc(sizeof(Chunk) + size);
	if (!chunk)
		abort();
	link_chunk(chunk, size, context);
	/* undefined, and for certain not zero */
	memset(chunk + 1, 0xa5, size);
	return chunk + 1;
}

void
pfree(void *pointer)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;

	chunk->next->prev = chunk->prev;
	chunk->prev->next = chunk->next;
	in_use -= chunk->size;
	free(chunk);
}

void *
repalloc_huge(void *pointer, Size size)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;
	void	   *grown = MemoryContextAllocHuge(chunk->context, size);

	memcpy(grown, pointer, Min(size, chunk->size));
	pfree(pointer);
	return grown;
}

void
stub_reset(MemoryContext context)
{
	Chunk	   *next;

	for (Chunk *chunk = chunks.next; chunk != &chunks; chunk = next)
	{
		next = chunk->next;
		if (chunk->context == context)
			pfree(chunk + 1);
	}
}

static Size
allocatable(Size size)
{
	if (!AllocSizeIsValid(size))
		elog(ERROR, "invalid memory alloc request size %zu", size);
	return size;
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return MemoryContextAllocHuge(context, allocatable(size));
}

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	void	   *chunk = MemoryContextAllocHuge(context, flags & MCXT_ALLOC_HUGE ? size : allocatable(size));

	if (flags & MCXT_ALLOC_ZERO)
		memset(chunk, 0, size);
	return chunk;
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_ZERO);
}

#if PG_VERSION_NUM < 170000
void *
MemoryContextAllocZeroAligned(MemoryContext context, Size size)
{
	return MemoryContextAllocZero(context, size);
}
#endif

void *
palloc(Size size)
{
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return MemoryContextAllocZero(CurrentMemoryContext, size);
}

void *
repalloc(void *pointer, Size size)
{
	return repalloc_huge(pointer, allocatable(size));
}

char *
pnstrdup(const char *in, Size length)
{
	char	   *copy;

	length = strnlen(in, length);
	copy = palloc(length + 1);
	memcpy(copy, in, length);
	copy[length] = '\0';
	return copy;
}

char *
MemoryContextStrdup(MemoryContext context, const char *in)
{
	Size		size = strlen(in) + 1;

	return memcpy(MemoryContextAlloc(context, size), in, size);
}

char *
pstrdup(const char *in)
{
	return MemoryContextStrdup(CurrentMemoryContext, in);
}

/* whoever multiplies too much was about to ask for too much */
Size
mul_size(Size a, Size b)
{
	REQUIRE(b == 0 || a <= SIZE_MAX / b);
	return a * b;
}

Size
add_size(Size a, Size b)
{
	REQUIRE(a <= SIZE_MAX - b);
	return a + b;
}

/*
 * Errors
 */
static jmp_buf *handler = NULL;
int			stub_error_code;
char		stub_error_message[1024];

bool
stub_try(void (*what) (void *arg), void *arg)
{
	jmp_buf		here;
	jmp_buf    *volatile before = handler;
	MemoryContext volatile context = CurrentMemoryContext;
	volatile bool done = false;

	handler = &here;
	if (setjmp(here) == 0)
	{
		what(arg);
		done = true;
	}
	handler = before;
	CurrentMemoryContext = context;
	return done;
}

bool
errstart(int elevel, const char *domain)
{
	if (elevel < ERROR)
		return false;
	stub_error_code = ERRCODE_INTERNAL_ERROR;
	stub_error_message[0] = '\0';
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	REQUIRE(handler != NULL);
	longjmp(*handler, 1);
}

int
errcode(int sqlerrcode)
{
	stub_error_code = sqlerrcode;
	return 0;
}

int
errcode_for_file_access(void)
{
	return errcode(ERRCODE_UNDEFINED_FILE);
}

#define FORMAT_INTO(into, format) \
	do { \
		va_list		args_; \
		va_start(args_, format); \
		vsnprintf(into, sizeof(into), format, args_); \
		va_end(args_); \
	} while (0)

int
errmsg(const char *format,...)
{
	FORMAT_INTO(stub_error_message, format);
	return 0;
}

int
errmsg_internal(const char *format,...)
{
	FORMAT_INTO(stub_error_message, format);
	return 0;
}

/* not kept, but whatever is in it is read */
int
errdetail(const char *format,...)
{
	char		text[1024];

	FORMAT_INTO(text, format);
	return 0;
}

int
errhint(const char *format,...)
{
	char		text[1024];

	FORMAT_INTO(text, format);
	return 0;
}

void
ExceptionalCondition(const char *condition,
#if PG_VERSION_NUM < 160000
					 const char *type,
#endif
					 const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, condition);
	stub_show();
	abort();
}

void
ProcessInterrupts(void)
{
}

/*
 * Texts
 */
int
pg_vsnprintf(char *into, size_t size, const char *format, va_list args)
{
	return vsnprintf(into, size, format, args);
}

int
pg_snprintf(char *into, size_t size, const char *format,...)
{
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(into, size, format, args);
	va_end(args);
	return length;
}

int
pg_fprintf(FILE *stream, const char *format,...)
{
	va_list		args;
	int			length;

	va_start(args, format);
	length = vfprintf(stream, format, args);
	va_end(args);
	return length;
}

char *
psprintf(const char *format,...)
{
	char		text[1024];

	FORMAT_INTO(text, format);
	return pstrdup(text);
}

void
initStringInfo(StringInfo str)
{
	str->data = palloc(1);
	str->maxlen = 1;
	str->len = 0;
	str->cursor = 0;
	str->data[0] = '\0';
}

StringInfo
makeStringInfo(void)
{
	StringInfo	str = palloc0(sizeof(StringInfoData));

	initStringInfo(str);
	return str;
}

void
resetStringInfo(StringInfo str)
{
	str->data[0] = '\0';
	str->len = 0;
	str->cursor = 0;
}

void
enlargeStringInfo(StringInfo str, int needed)
{
	REQUIRE(needed >= 0 && (Size) needed < MaxAllocSize - (Size) str->len);
	if (str->len + needed < str->maxlen)
		return;
	str->maxlen = str->len + needed + 1;
	str->data = repalloc(str->data, str->maxlen);
}

#if PG_VERSION_NUM >= 160000
#define BYTES	const void *
#else
#define BYTES	const char *
#endif

void
appendBinaryStringInfo(StringInfo str, BYTES data, int length)
{
	enlargeStringInfo(str, length);
	memcpy(str->data + str->len, data, length);
	str->len += length;
	str->data[str->len] = '\0';
}

void
appendStringInfoString(StringInfo str, const char *text)
{
	appendBinaryStringInfo(str, text, (int) strlen(text));
}

void
appendStringInfoChar(StringInfo str, char c)
{
	appendBinaryStringInfo(str, &c, 1);
}

void
appendStringInfo(StringInfo str, const char *format,...)
{
	char		text[1024];

	FORMAT_INTO(text, format);
	appendStringInfoString(str, text);
}

struct varlena *
pg_detoast_datum(struct varlena *datum)
{
	return datum;
}

struct varlena *
pg_detoast_datum_packed(struct varlena *datum)
{
	return datum;
}

text *
cstring_to_text_with_len(const char *string, int length)
{
	text	   *result = palloc(length + VARHDRSZ);

	SET_VARSIZE(result, length + VARHDRSZ);
	memcpy(VARDATA(result), string, length);
	return result;
}

text *
cstring_to_text(const char *string)
{
	return cstring_to_text_with_len(string, (int) strlen(string));
}

char *
text_to_cstring(const text *datum)
{
	Size		length = VARSIZE_ANY_EXHDR(datum);
	char	   *string = palloc(length + 1);

	memcpy(string, VARDATA_ANY(datum), length);
	string[length] = '\0';
	return string;
}

/* of UTF-8, by the first byte alone */
static int
character_length(const char *at)
{
	unsigned char first = (unsigned char) *at;

	return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 1;
}

int
pg_mbstrlen_with_len(const char *text, int limit)
{
	int			n = 0;

	for (int at = 0; at < limit && text[at]; at += character_length(text + at))
		n++;
	return n;
}

int
pg_mbcliplen(const char *text, int length, int limit)
{
	int			at = 0;

	while (at < length && text[at] && at + character_length(text + at) <= Min(limit, length))
		at += character_length(text + at);
	return at;
}

bool
pg_verifymbstr(const char *text, int length, bool no_error)
{
	REQUIRE(no_error);
	for (int at = 0; at < length;)
	{
		int			n = character_length(text + at);

		if (text[at] == '\0' || (n == 1 && (text[at] & 0x80)) || n > length - at)
			return false;
		for (int i = 1; i < n; i++)
			if ((text[at + i] & 0xc0) != 0x80)
				return false;
		at += n;
	}
	return true;
}

unsigned char
pg_tolower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

unsigned char
pg_ascii_tolower(unsigned char c)
{
	return pg_tolower(c);
}

/* not the distance, but all that the server reads for it, whole characters */
int
varstr_levenshtein(const char *source, int source_length, const char *target, int target_length,
				   int insert, int delete, int substitute, bool trusted)
{
	int			differ = 0;

	for (int at = 0; at < source_length; at += character_length(source + at))
		for (int i = 0; i < character_length(source + at); i++)
			differ += source[at + i] & 1;
	for (int at = 0; at < target_length; at += character_length(target + at))
		for (int i = 0; i < character_length(target + at); i++)
			differ -= target[at + i] & 1;
	return abs(differ) + abs(source_length - target_length);
}

int
varstr_levenshtein_less_equal(const char *source, int source_length, const char *target, int target_length,
							  int insert, int delete, int substitute, int most, bool trusted)
{
	return varstr_levenshtein(source, source_length, target, target_length, insert, delete, substitute, trusted);
}

uint32
hash_bytes(const unsigned char *bytes, int length)
{
	uint32		hash = 2166136261;

	for (int i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 16777619;
	return hash;
}

uint64
hash_bytes_extended(const unsigned char *bytes, int length, uint64 seed)
{
	return (uint64) hash_bytes(bytes, length) * UINT64CONST(0x9e3779b97f4a7c15) + seed;
}

void
pg_qsort(void *base, size_t n, size_t size, int (*compare) (const void *, const void *))
{
	qsort(base, n, size, compare);
}

const char *
timestamptz_to_str(TimestampTz at)
{
	static char text[32];

	snprintf(text, sizeof(text), INT64_FORMAT, at);
	return text;
}

Datum
interval_out(PG_FUNCTION_ARGS)
{
	const Interval *interval = PG_GETARG_INTERVAL_P(0);

	PG_RETURN_CSTRING(psprintf("%d %d " INT64_FORMAT, interval->month, interval->day, (int64) interval->time));
}

Datum
uuid_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pnstrdup((const char *) PG_GETARG_POINTER(0), 16));
}

/*
 * Messages
 */
static void
refuse_message(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("%s", why)));
}

const char *
pq_getmsgbytes(StringInfo msg, int length)
{
	const char *bytes;

	if (length < 0 || length > msg->len - msg->cursor)
		refuse_message("insufficient data left in message");
	bytes = msg->data + msg->cursor;
	msg->cursor += length;
	return bytes;
}

static uint64
big_endian(StringInfo msg, int length)
{
	const unsigned char *bytes = (const unsigned char *) pq_getmsgbytes(msg, length);
	uint64		value = 0;

	for (int i = 0; i < length; i++)
		value = value << 8 | bytes[i];
	return value;
}

int
pq_getmsgbyte(StringInfo msg)
{
	if (msg->cursor >= msg->len)
		refuse_message("no data left in message");
	return (unsigned char) msg->data[msg->cursor++];
}

unsigned int
pq_getmsgint(StringInfo msg, int length)
{
	REQUIRE(length == 1 || length == 2 || length == 4);
	return (unsigned int) big_endian(msg, length);
}

int64
pq_getmsgint64(StringInfo msg)
{
	return (int64) big_endian(msg, 8);
}

float8
pq_getmsgfloat8(StringInfo msg)
{
	uint64		bits = big_endian(msg, 8);
	float8		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

void
pq_getmsgend(StringInfo msg)
{
	if (msg->cursor != msg->len)
		refuse_message("invalid message format");
}

void
pq_sendbytes(StringInfo msg, BYTES data, int length)
{
	appendBinaryStringInfo(msg, data, length);
}

void
pq_sendfloat8(StringInfo msg, float8 value)
{
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	pq_sendint64(msg, bits);
}

void
pq_begintypsend(StringInfo msg)
{
	initStringInfo(msg);
	appendBinaryStringInfo(msg, "\0\0\0", VARHDRSZ);
}

bytea *
pq_endtypsend(StringInfo msg)
{
	bytea	   *bytes = (bytea *) msg->data;

	SET_VARSIZE(bytes, msg->len);
	return bytes;
}

/*
 * Files
 */

/* a name that would leave the directory of temporary files, or the list of their tablespaces */
static void
check_name(const FileSet *set, const char *name)
{
	REQUIRE(memchr(name, '\0', 32) != NULL);
	REQUIRE(name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL);
	REQUIRE(set->ntablespaces >= 0 && set->ntablespaces <= (int) lengthof(set->tablespaces));
}

BufFile *
BufFileOpenFileSet(FileSet *set, const char *name, int mode, bool missing_ok)
{
	check_name(set, name);
	REQUIRE(!missing_ok);
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not open temporary file \"%s\"", name)));
}

void
BufFileDeleteFileSet(FileSet *set, const char *name, bool missing_ok)
{
	check_name(set, name);
}

/*
 * Functions and aggregates
 */
Datum
DirectFunctionCall1Coll(PGFunction function, Oid collation, Datum argument)
{
	LOCAL_FCINFO(fcinfo, 1);

	InitFunctionCallInfoData(*fcinfo, NULL, 1, collation, NULL, NULL);
	fcinfo->args[0].value = argument;
	fcinfo->args[0].isnull = false;
	return function(fcinfo);
}

int
AggCheckCallContext(FunctionCallInfo fcinfo, MemoryContext *context)
{
	if (context)
		*context = stub_aggregate_context;
	return AGG_CONTEXT_AGGREGATE;
}

fmAggrefPtr
AggGetAggref(FunctionCallInfo fcinfo)
{
	return NULL;
}

typedef struct Callback
{
	fmExprContextCallbackFunction function;
	Datum		argument;
} Callback;

static Callback callbacks[16];
static int	n_callbacks = 0;

void
AggRegisterCallback(FunctionCallInfo fcinfo, fmExprContextCallbackFunction function, Datum argument)
{
	REQUIRE(n_callbacks < (int) lengthof(callbacks));
	callbacks[n_callbacks++] = (Callback) {function, argument};
}

void
stub_run_callbacks(void)
{
	while (n_callbacks > 0)
	{
		n_callbacks--;
		callbacks[n_callbacks].function(callbacks[n_callbacks].argument);
	}
}

void
stub_drop_callbacks(void)
{
	n_callbacks = 0;
}
