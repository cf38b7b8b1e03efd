"""The newest figures of every instrument in one row each, hits, and lists that one keeps."""
