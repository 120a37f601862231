/**
 * Which settings a caller may send, in the address of a request or after SETTINGS. Three kinds:
 * `apply` is in force for this query; `ignore` concerns a transport that works otherwise here, and changes nothing; `refuse` is all else, so that no limit
 * can be lifted and no file named.
 */
export type SettingVerdict =
  { readonly kind: 'apply' } | { readonly kind: 'ignore' } | { readonly kind: 'refuse'; readonly reason: string };

/** Largest values that a caller may ask for; he may ask for less. */
export type SqlLimits = { readonly queryTimeoutMs: number; readonly queryMemoryBytes: number; readonly resultBytes: number };

export const judgeSetting = (name: string, value: string, limits: SqlLimits): SettingVerdict => {
  if (ignored.has(name)) return { kind: 'ignore' };
  if (name === 'readonly') return value === '1' || value === '2' ? { kind: 'ignore' } : refuse('readonly cannot be left');
  if (name === 'compress' || name === 'decompress')
    return value === '0' ? { kind: 'ignore' } : refuse(`${name} is not supported: send and accept plain bodies`);
  const largest = ceilings(limits)[name];
  if (largest !== undefined) {
    const asked = Number(value);
    return asked > 0 && asked <= largest
      ? { kind: 'apply' }
      : refuse(`expected ${name} above 0 and up to ${largest}, got ${value.slice(0, 40)}`);
  }
  if (applied.has(name) || (name.startsWith('output_format_') && name !== 'output_format_schema')) return { kind: 'apply' };
  return refuse(`the setting ${name.slice(0, 80)} cannot be changed here; docs/sql.md lists those that can`);
};

const refuse = (reason: string): SettingVerdict => ({ kind: 'refuse', reason });

const ceilings = (limits: SqlLimits): Readonly<Record<string, number>> => ({
  max_execution_time: limits.queryTimeoutMs / 1_000,
  max_memory_usage: limits.queryMemoryBytes,
  max_result_bytes: limits.resultBytes,
  max_result_rows: Number.MAX_SAFE_INTEGER,
  max_rows_to_read: Number.MAX_SAFE_INTEGER,
  max_bytes_to_read: Number.MAX_SAFE_INTEGER,
  max_threads: 64,
  max_block_size: 1_048_576,
});

const ignored: ReadonlySet<string> = new Set([
  'wait_end_of_query',
  'buffer_size',
  'http_response_buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
  'http_write_exception_in_output_format',
  'add_http_cors_header',
  'enable_http_compression',
  'http_zlib_compression_level',
  'http_response_compression_method',
  'session_id',
  'session_timeout',
  'session_check',
  'query_id',
  'log_comment',
  'log_queries',
  'quota_key',
  'role',
  'user',
  'password',
  'client_protocol_version',
  'stacktrace',
]);

const applied: ReadonlySet<string> = new Set([
  'date_time_output_format',
  'date_time_input_format',
  'session_timezone',
  'extremes',
  'result_overflow_mode',
  'join_use_nulls',
  'group_by_use_nulls',
  'aggregate_functions_null_for_empty',
  'transform_null_in',
  'union_default_mode',
  'totals_mode',
  'format_csv_delimiter',
  'format_csv_null_representation',
  'format_tsv_null_representation',
  'cast_keep_nullable',
  'prefer_column_name_to_alias',
]);
