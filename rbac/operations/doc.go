// Package operations is a catalogue of the operations of Azure's resource
// providers: what a role's actions and data actions can name.
//
// The data, operations.txt.gz, is made by the program in gen from
//   - azure/map.json of the public repository iann0036/iam-dataset at commit
//     ea9a1ad807920a889c98f69c6d7d0ca6aa434366 (2026-06-14), which names those
//     operations of Azure's own list that a call of its REST API needs;
//   - gen/pages.txt, read off azure-docs role-based-access-control/permissions:
//     the whole sections of the providers that [Complete] knows, of Log Analytics
//     and of Advisor at commit 03e5750af10b23b5ba437d5b333ec5e9437844f9 (pages of
//     2026-02-23), and what ai-machine-learning.md had at commit
//     df926628327f4aa75b1d8a11e71a397be6dea3cc;
//   - the operations that the built-in roles name in full.
//
// It holds names and planes only, some fifteen thousand: not all that Azure
// has. Of a provider that is not complete, an operation that no call of the REST
// API is named after is missing, and a data action that no built-in role names.
// So a name that it has is Azure's, while one that it lacks may still exist,
// unless [Complete] says otherwise.
package operations
