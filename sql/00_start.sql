\echo Use "CREATE EXTENSION activity_metrics" to load this file. \quit
