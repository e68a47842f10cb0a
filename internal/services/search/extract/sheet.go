package extract

import (
	"bytes"
	"strings"

	"github.com/xuri/excelize/v2"
)

var sheetFields = map[string]string{
	"creator": "metadata_author", "created": "metadata_creation_date", "modified": "metadata_last_modified",
}

// xlsx reads the sheets of a workbook: the name of each, and its rows, cells as
// they are shown and separated by tabs.
func (f *file) xlsx() error {
	r, err := f.archive()
	if err != nil {
		return err
	}
	if err := f.properties(r, sheetFields); err != nil {
		return err
	}
	// The library unpacks members itself. With equal limits it writes none to
	// a temporary file, and refuses before it has them all.
	book, err := excelize.OpenReader(bytes.NewReader(f.data), excelize.Options{UnzipSizeLimit: f.unpackable, UnzipXMLSizeLimit: f.unpackable})
	if err != nil {
		return err
	}
	defer book.Close()
	for _, sheet := range book.GetSheetList() {
		if err := f.part(); err != nil {
			return err
		}
		rows, err := book.Rows(sheet)
		if err != nil {
			continue // a chart has no rows
		}
		if err := f.write(sheet + "\n"); err != nil {
			return err
		}
		for rows.Next() {
			cells, err := rows.Columns()
			if err != nil {
				return err
			}
			if row := strings.TrimRight(strings.Join(cells, "\t"), "\t"); row != "" {
				if err := f.write(row + "\n"); err != nil {
					return err
				}
			}
		}
		if err := rows.Error(); err != nil {
			return err
		}
	}
	return nil
}
